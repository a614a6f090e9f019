"""build-virtual: who is paired, who is left out, what is drawn, and when nothing needs to be built."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbio.data import manifest as manifests
from mmbio.data import signals, vector_sets
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.samples import Sample, SampleSet
from mmbio.data.sources import resolve
from mmbio.data.splits import BLOCKS
from mmbio.data.virtual import build
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL, MULTITASK

PLAN = Plan(MULTITASK)
Sets = dict[str, tuple[SampleSet, ...]]


@pytest.fixture
def counted_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record's .hea file holds nothing but its number of beats."""

    def beats(path: Path) -> np.ndarray:
        n = int(path.read_text())
        if n < 15:
            raise MmbioError(f"{path}: too few beats")
        return np.zeros((n, 300), np.float32)

    monkeypatch.setattr(signals, "beats", beats)


def made(
    root: Path,
    people: Sequence[tuple[str | None, int | None]],
    n_beats: Sequence[int] = (20, 20),
    n_images: int = 10,
    fingers: int = 9,
    name: str = "set",
) -> Sets:
    """Sets of people of a gender and age, alike in ECG and face; records as `counted_beats` reads them."""

    def samples(modality: str, subject: str, n: int, gender: str | None, age: int | None) -> list[Sample]:
        found = []
        for i in range(n):
            path = root / f"{modality}-{name}" / f"{subject}_{i}{'.hea' if modality == 'ecg' else '.png'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(n_beats[i]) if modality == "ecg" else f"{modality} {subject} {i}")
            found.append(Sample(modality, subject, f"{subject}/{i}", i, path.name, gender, age))
        return found

    rows = {
        "ecg": [s for i, (g, age) in enumerate(people) for s in samples("ecg", f"p{i}", len(n_beats), g, age)],
        "face": [s for i, (g, _) in enumerate(people) for s in samples("face", f"q{i}", n_images, g, None)],
        "finger": [s for i in range(fingers) for s in samples("finger", f"f{i}", n_images, None, None)],
    }
    return {
        m: (SampleSet(f"{m}-{name}", root / f"{m}-{name}", tuple(found), (f"{m} is odd",)),)
        for m, found in rows.items()
    }


def sources_of(manifest: Manifest, modality: str) -> dict[str, set[tuple[str, str]]]:
    """block -> the (sample, beat) or images that its triplets use."""
    found: dict[str, set[tuple[str, str]]] = {block: set() for block in BLOCKS}
    for split, sample, draw in zip(
        manifest.items["split"],
        manifest.items[f"{modality}_sample"],
        manifest.items[f"{modality}_draw"],
        strict=True,
    ):
        found[split] |= {(sample, part) for part in (draw.split() if modality == "ecg" else [""])}
    return found


PEOPLE: Sequence[tuple[str | None, int | None]] = [("F", 20), ("F", 30), ("M", 13), ("M", 39)]


@pytest.mark.usefixtures("counted_beats")
def test_by_hand(tmp_path: Path) -> None:
    manifest = build(made(tmp_path, PEOPLE), PLAN, tmp_path)
    assert manifest.subjects["gender"].tolist() == ["F", "F", "M", "M"]
    assert sorted(manifest.subjects["ecg"]) == [f"ecg-set/p{i}" for i in range(4)]
    assert len(set(manifest.subjects["finger"])) == 4
    assert manifest.info["n_subjects"] == {"all": 4, "F": 2, "M": 2}
    assert manifest.info["dropped"] == {}
    assert manifest.info["notes"] == ["ecg is odd", "face is odd", "finger is odd"]
    assert manifest.info["data"] == "ecg-set + face-set + finger-set"
    assert not manifest.is_synthetic
    assert len(manifest.samples) == 4 * (2 + 10 + 10)
    assert manifest.items.groupby(["subject", "split"]).size().tolist() == [3, 12] * 4
    assert sorted(manifest.items["item"]) == list(range(60))
    for _, triplet in manifest.items.iterrows():
        for modality in MULTITASK.modalities:
            owner = manifest.subjects[modality][triplet["subject"]]
            assert triplet[f"{modality}_sample"].startswith(f"{owner}/")


@pytest.mark.usefixtures("counted_beats")
@pytest.mark.parametrize(
    ("people", "changes", "dropped"),
    [
        ([("F", 12), ("M", 40)], {}, {"ecg: outside ages 13-39": 2}),
        ([("F", None)], {}, {"ecg: age not known": 1}),
        ([(None, 20)], {}, {"ecg: gender not known": 1, "face: gender not known": 1}),
        ([("F", 50)], {"ages": (13, 49)}, {"ecg: outside ages 13-49": 1}),
    ],
)
def test_who_is_left_out_is_counted(
    tmp_path: Path,
    people: Sequence[tuple[str | None, int | None]],
    changes: Mapping[str, Any],
    dropped: Mapping[str, int],
) -> None:
    manifest = build(made(tmp_path, [*PEOPLE, *people]), replace(PLAN, **changes), tmp_path)
    assert manifest.n_subjects == 4
    assert manifest.info["dropped"] == dropped


@pytest.mark.usefixtures("counted_beats")
@pytest.mark.parametrize(
    ("split", "n_beats", "n_images", "dropped"),
    [
        ("record", (20,), 10, {"ecg: too few samples for the record split": 4}),
        (
            "source",
            (20,),
            2,
            {"face: too few samples for the source split": 4, "finger: too few samples for the source split": 9},
        ),
    ],
)
def test_who_cannot_fill_a_block_does_not_fit(
    tmp_path: Path, split: str, n_beats: Sequence[int], n_images: int, dropped: Mapping[str, int]
) -> None:
    few, many = made(tmp_path, PEOPLE, n_beats, n_images, name="few"), made(tmp_path, PEOPLE)
    plan = replace(PLAN, split=split)
    with pytest.raises(MmbioError, match=r"at most 0 virtual subjects fit"):
        build(few, plan, tmp_path)
    manifest = build({m: few[m] + many[m] for m in many}, plan, tmp_path)
    assert manifest.info["dropped"] == dropped
    assert manifest.n_subjects == 4


@pytest.mark.usefixtures("counted_beats")
def test_a_broken_record_is_an_error_or_counted(tmp_path: Path) -> None:
    sets = made(tmp_path, PEOPLE, (20, 14, 20))
    with pytest.raises(MmbioError, match=r"p0_1\.hea: too few beats"):
        build(sets, PLAN, tmp_path)
    assert not (tmp_path / "manifests").exists()
    manifest = build(sets, replace(PLAN, skip_unusable=True), tmp_path)
    assert manifest.info["dropped"] == {"ecg: records not readable or with fewer than 15 beats": 4}
    assert {sample.rpartition("/")[2] for sample in manifest.items["ecg_sample"]} == {"0", "2"}


@pytest.mark.usefixtures("counted_beats")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"subjects": 5}, r"5: at most 4 virtual subjects fit \(2 F, 2 M .* 9 finger subjects; ask for 1 to 4"),
        ({"triplets": 9}, r"--triplets 9: the triplet split needs at least 10 a subject .*8 folds; ask for more"),
        ({"triplets": 0}, r"--triplets 0: the triplet split needs at least 10"),
        ({"triplets": 9, "split": "source"}, r"--triplets 9: the source split needs at least 10 .*; ask for more"),
        ({"triplets": 3, "folds": 3}, r"needs at least 4 a subject"),
    ],
)
def test_what_does_not_fit_writes_nothing(tmp_path: Path, changes: Mapping[str, Any], told: str) -> None:
    with pytest.raises(MmbioError, match=told):
        build(made(tmp_path, PEOPLE), replace(PLAN, **changes), tmp_path)
    assert not (tmp_path / "manifests").exists()


@pytest.mark.usefixtures("counted_beats")
def test_the_least_number_of_triplets_gives_every_fold_one_of_every_subject(tmp_path: Path) -> None:
    manifest = build(made(tmp_path, PEOPLE), replace(PLAN, triplets=10), tmp_path)
    for part in manifest.partitions():
        assert sorted(manifest.labels["identification"][part.dev]) == [0, 1, 2, 3]


@pytest.mark.usefixtures("counted_beats")
def test_a_seed_decides_the_pairs_and_the_draws(tmp_path: Path) -> None:
    sets = made(tmp_path, PEOPLE)
    runs = (("a", 0), ("b", 0), ("a", 1))
    hashes = [build(sets, replace(PLAN, seed=seed), tmp_path / home).hash for home, seed in runs]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.usefixtures("counted_beats")
@pytest.mark.parametrize("name", ["ecg-set/p0_0.dat", "ecg-set/p0_0.hea", "face-set/q1_3.png"])
def test_unchanged_files_are_not_read_again_and_changed_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sets = made(tmp_path, PEOPLE)
    (tmp_path / "ecg-set" / "p0_0.dat").write_bytes(b"signal")
    built = build(sets, PLAN, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(signals, "beats", None)
        found = build(sets, PLAN, tmp_path)
    assert found.info == built.info
    assert found.folder == built.folder
    (tmp_path / name).write_text("21")
    changed = build(sets, PLAN, tmp_path)
    assert changed.info["fingerprint"] != built.info["fingerprint"]
    assert changed.hash != built.hash


def test_the_same_root_elsewhere_has_the_same_hash(tiny_root: Path, tiny_manifest: Manifest, tmp_path: Path) -> None:
    shutil.copytree(tiny_root, tmp_path / "moved")
    moved = build(resolve(MULTITASK, str(tmp_path / "moved"), {}, tmp_path), PLAN, tmp_path)
    assert moved.hash == tiny_manifest.hash
    assert moved.info["fingerprint"] != tiny_manifest.info["fingerprint"]
    for name in ("subjects", "items"):
        table = f"{name}.csv"
        assert (moved.folder / table).read_bytes() == (tiny_manifest.folder / table).read_bytes()


def test_the_synthetic_root_says_so(tiny_manifest: Manifest) -> None:
    assert tiny_manifest.is_synthetic
    assert tiny_manifest.info["data"] == "synthetic"
    assert tiny_manifest.info["n_subjects"] == {"all": 6, "F": 3, "M": 3}


def test_every_file_of_the_manifest_is_there_with_its_hash(tiny_manifest: Manifest) -> None:
    for modality in MULTITASK.modalities:
        for path, sha in tiny_manifest.paths(modality).values():
            assert manifests.checked_bytes(path, sha)


@pytest.mark.parametrize("split", ["source", "record"])
def test_no_source_is_on_two_sides(tiny_root: Path, tmp_path: Path, split: str) -> None:
    sets = resolve(MULTITASK, str(tiny_root), {}, tmp_path)
    manifest = build(sets, replace(PLAN, split=split), tmp_path)
    assert len(manifest.items) == 90
    for modality in MULTITASK.modalities:
        used = sources_of(manifest, modality)
        assert all(used.values())
        assert sum(map(len, used.values())) == len(set().union(*used.values()))
    if split == "record":
        records = {block: {sample for sample, _ in found} for block, found in sources_of(manifest, "ecg").items()}
        assert not records["test"] & (records["train"] | records["dev"])


def test_the_papers_split_lets_sources_reach_both_sides(tiny_manifest: Manifest) -> None:
    for modality in MULTITASK.modalities:
        used = sources_of(tiny_manifest, modality)
        assert used["train"] & used["test"]


def test_the_real_sets_give_53(real_data: Path, tiny_root: Path, tmp_path: Path) -> None:
    fingers = tmp_path / "fvc2006"
    for path in (tiny_root / "fvc2006").rglob("1_*.bmp"):
        for number in range(1, 59):  # one finger for all: their number is what counts here
            link = fingers / path.parent.name / path.name.replace("1_", f"{number}_", 1)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    manifest = build(resolve(MULTITASK, str(real_data), {"finger": str(fingers)}, tmp_path), PLAN, tmp_path)
    assert manifest.summary(58)[0] == "53 subjects: 19 F, 34 M; the paper has 58"
    assert manifest.info["data"] == "ecg-id + faces94 + fvc2006"
    assert not manifest.is_synthetic


def test_a_remark_of_two_modalities_of_one_set_is_made_once(av_set: Path, tmp_path: Path) -> None:
    sets = resolve(AUDIOVISUAL, str(av_set), {}, tmp_path)
    noted = {m: tuple(replace(one, notes=("odd", f"{m} is odd")) for one in found) for m, found in sets.items()}
    manifest = build(noted, Plan(AUDIOVISUAL), tmp_path)
    assert manifest.info["notes"] == ["odd", "face is odd", "voice is odd"]


def test_vectors_written_anew_are_built_again(av_set: Path, tmp_path: Path) -> None:
    shutil.copytree(av_set, tmp_path / "set")
    sets = resolve(AUDIOVISUAL, str(tmp_path / "set"), {}, tmp_path)
    built = build(sets, Plan(AUDIOVISUAL), tmp_path)
    assert build(sets, Plan(AUDIOVISUAL), tmp_path).folder == built.folder
    found = vector_sets.read(tmp_path / "set")
    vectors = {m: {s: np.load(av_set / vector_sets.file_name(m, s)) for s in about["segments"] or [""]}
               for m, about in found.info["modalities"].items()}  # fmt: skip
    vectors["face"][""][0, 0] += 1
    vector_sets.write(tmp_path / "set", "tiny", found.samples, vectors)
    changed = build(resolve(AUDIOVISUAL, str(tmp_path / "set"), {}, tmp_path), Plan(AUDIOVISUAL), tmp_path)
    assert changed.info["fingerprint"] != built.info["fingerprint"]
    assert changed.hash != built.hash
    assert changed.items.equals(built.items)


def test_the_same_vectors_elsewhere_have_the_same_hash(av_set: Path, av_manifest: Manifest, tmp_path: Path) -> None:
    shutil.copytree(av_set, tmp_path / "moved")
    moved = build(resolve(AUDIOVISUAL, str(tmp_path / "moved"), {}, tmp_path), Plan(AUDIOVISUAL), tmp_path)
    assert moved.hash == av_manifest.hash
    for name in ("items", "trials", "attributes"):
        assert (moved.folder / f"{name}.csv").read_bytes() == (av_manifest.folder / f"{name}.csv").read_bytes()
