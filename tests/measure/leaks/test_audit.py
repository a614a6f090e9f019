"""Audit: leaks that were planted are found and counted, splits without them are told so, trials are looked at."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mmbio.data import virtual
from mmbio.data.manifest import Manifest
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.trial_lists import TrialList
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.measure.leaks import near as leak_near
from mmbio.measure.leaks.audit import Audit, audit, listed
from mmbio.measure.leaks.finding import BY_DESIGN, LEAK, NONE, NOT_KNOWN, Finding, percent
from mmbio.measure.leaks.sides import overlap
from mmbio.measure.trials import Trials, of_manifest
from mmbio.protocols import AUDIOVISUAL, MULTITASK

Change = Callable[[Manifest], Manifest]


@pytest.fixture(scope="session")
def split_manifests(tiny_root: Path, tiny_home: Path, tiny_manifest: Manifest) -> dict[str, Manifest]:
    sets = resolve(MULTITASK, str(tiny_root), {}, tiny_home)
    others = {s: virtual.build(sets, Plan(MULTITASK, split=s), tiny_home) for s in ("source", "record")}
    return {"triplet": tiny_manifest, **others}


def one(found: Audit, level: str, modality: str = "", between: str = "train and test") -> Finding:
    (match,) = (f for f in found.findings if (f.level, f.modality, f.between) == (level, modality, between))
    return match


def with_items(manifest: Manifest, **columns: Any) -> Manifest:
    return replace(manifest, items=manifest.items.assign(**columns))


@pytest.mark.parametrize(
    ("codes", "known", "tested", "hits", "shared"),
    [
        ([[0], [1], [0]], [0, 1], [2], [True], [0]),
        ([[0], [1], [2]], [0, 1], [2], [False], []),
        ([[-1], [-1]], [0], [1], [False], []),  # nothing taken is nothing shared
        ([[1, 2, 3], [3, 4, 5], [6, 7, 8]], [0], [1, 2], [True, False], [3]),
    ],
)
def test_overlap(
    codes: list[list[int]], known: list[int], tested: list[int], hits: list[bool], shared: list[int]
) -> None:
    found, what = overlap(np.array(codes), np.array(known), np.array(tested))
    assert found.tolist() == hits
    assert what.tolist() == shared


@pytest.mark.parametrize(
    ("count", "of", "text"),
    [(0, 0, "0 %"), (0, 9, "0 %"), (9, 9, "100 %"), (1, 9999, "0.1 %"), (9998, 9999, "99.9 %"), (1, 8, "12.5 %")],
)
def test_percent_is_whole_only_where_it_is_all(count: int, of: int, text: str) -> None:
    assert percent(count, of) == text


@pytest.mark.parametrize(
    ("split", "level", "modality", "kind"),
    [
        ("triplet", "source image", "face", LEAK),
        ("triplet", "source record", "ecg", LEAK),
        ("triplet", "beat", "ecg", LEAK),
        ("triplet", "subject", "", BY_DESIGN),
        ("triplet", "session", "ecg", BY_DESIGN),
        ("triplet", "session", "face", NOT_KNOWN),
        ("source", "source image", "face", NONE),
        ("source", "source image", "finger", NONE),
        ("source", "source record", "ecg", BY_DESIGN),
        ("source", "beat", "ecg", NONE),
        ("record", "source record", "ecg", NONE),
        ("record", "source image", "face", NONE),
        ("record", "beat", "ecg", NONE),
        ("record", "subject", "", BY_DESIGN),
    ],
)
def test_what_the_splits_share(
    split_manifests: dict[str, Manifest], tiny_settings: Settings, split: str, level: str, modality: str, kind: str
) -> None:
    assert one(audit(split_manifests[split], tiny_settings), level, modality).kind == kind


@pytest.mark.parametrize("split", ["triplet", "source", "record"])
def test_counts_are_those_of_a_loop(split_manifests: dict[str, Manifest], tiny_settings: Settings, split: str) -> None:
    manifest = split_manifests[split]
    found = audit(manifest, tiny_settings)
    items = manifest.items
    train, test = items[items["split"] == "train"], items[items["split"] == "test"]
    for modality in ("ecg", "face", "finger"):
        names = set(train[f"{modality}_sample"])
        told = one(found, "source record" if modality == "ecg" else "source image", modality)
        assert (told.count, told.of) == (sum(name in names for name in test[f"{modality}_sample"]), len(test))
        assert told.shared == len(names & set(test[f"{modality}_sample"]))
    beats = {(r, b) for r, d in zip(train["ecg_sample"], train["ecg_draw"], strict=True) for b in d.split()}
    hits = [any((r, b) in beats for b in d.split()) for r, d in zip(test["ecg_sample"], test["ecg_draw"], strict=True)]
    assert one(found, "beat", "ecg").count == sum(hits)


def test_folds_are_counted_one_by_one(tiny_manifest: Manifest, tiny_settings: Settings) -> None:
    told = one(audit(tiny_manifest, tiny_settings), "source image", "face")
    assert len(told.by_fold) == 8
    assert max(told.by_fold) <= told.count
    dev = one(audit(tiny_manifest, tiny_settings), "source image", "face", "train and dev")
    assert dev.count == sum(dev.by_fold)
    assert dev.of == (tiny_manifest.items["split"] == "train").sum()


def test_a_planted_image_is_a_leak(split_manifests: dict[str, Manifest], tiny_settings: Settings) -> None:
    manifest = split_manifests["record"]
    items = manifest.items
    names = items["face_sample"].to_numpy(object).copy()
    rows = np.flatnonzero(items["split"] == "test")[:2]
    names[rows] = names[np.flatnonzero(items["split"] == "train")[:2]]
    told = one(audit(with_items(manifest, face_sample=names), tiny_settings), "source image", "face")
    assert (told.kind, told.count) == (LEAK, 2)
    assert "recognition of the same file under another augmentation" in told.says


def test_identical_files(split_manifests: dict[str, Manifest], tiny_settings: Settings) -> None:
    manifest = split_manifests["record"]
    items, samples = manifest.items, manifest.samples.copy()
    train, test = (items[items["split"] == s]["face_sample"].iloc[0] for s in ("train", "test"))
    sha = samples.set_index("sample")["sha"]
    samples.loc[samples["sample"] == test, "sha"] = sha[train]
    found = audit(replace(manifest, samples=samples), tiny_settings)
    told = one(found, "identical file", "face")
    assert (told.kind, told.count) == (LEAK, (items["face_sample"][items["split"] == "test"] == test).sum())
    across = one(found, "identical file", "face", "different subjects")
    owner = samples.set_index("sample")["subject"]
    assert across.count == 2 * (owner[train] != owner[test])
    other = samples[(samples["modality"] == "face") & (samples["subject"] != owner[train])]["sample"].iloc[0]
    samples.loc[samples["sample"] == other, "sha"] = sha[train]
    across = one(
        audit(replace(manifest, samples=samples), tiny_settings), "identical file", "face", "different subjects"
    )
    assert (across.kind, across.count >= 2) == (LEAK, True)


def test_one_face_behind_two_subjects(tiny_manifest: Manifest, tiny_settings: Settings) -> None:
    faces = tiny_manifest.subjects["face"].to_list()
    manifest = replace(tiny_manifest, subjects=tiny_manifest.subjects.assign(face=[faces[1], *faces[1:]]))
    told = one(audit(manifest, tiny_settings), "public person", "face", "different subjects")
    assert (told.kind, told.count, told.of) == (LEAK, 1, 5)


def test_headers_without_a_date_are_not_known(
    tiny_root: Path, tiny_manifest: Manifest, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mmbio.measure.leaks.levels._date", lambda path: "")
    told = one(audit(tiny_manifest, tiny_settings), "session", "ecg")
    assert told.kind == NOT_KNOWN
    assert "ECG headers have no date" in told.says


def test_files_that_are_gone(tiny_manifest: Manifest, tiny_settings: Settings, tmp_path: Path) -> None:
    sources = {m: {**s, "folder": str(tmp_path)} for m, s in tiny_manifest.info["sources"].items()}
    manifest = replace(tiny_manifest, info=tiny_manifest.info | {"sources": sources})
    n = len(manifest.samples)
    with pytest.raises(
        MmbioError, match=rf"rec_1.hea: gone, and with it {n} of the {n} files of .*; put the data back"
    ):
        audit(manifest, tiny_settings)


@pytest.mark.parametrize("which", ["tiny_manifest", "av_manifest"])
def test_verify_reads_every_file(which: str, request: pytest.FixtureRequest, tiny_settings: Settings) -> None:
    manifest: Manifest = request.getfixturevalue(which)
    assert audit(manifest, tiny_settings, verify=True).info["verified"]
    samples = manifest.samples.assign(sha="0" * 16)
    sources = json.loads(json.dumps(manifest.info["sources"]))
    for source in sources.values():
        for name in source.get("vectors", {}).get("files", {}):
            source["vectors"]["files"][name] = "0" * 16
    changed = replace(manifest, samples=samples, info=manifest.info | {"sources": sources})
    with pytest.raises(MmbioError, match="has changed since build-virtual read it"):
        audit(changed, tiny_settings, verify=True)


def test_people_apart(av_manifest: Manifest, av_settings: Settings) -> None:
    found = audit(av_manifest, av_settings)
    assert not found.leaks
    for level in ("source vector", "session", "public person"):
        assert one(found, level, "face").kind == NONE
    assert one(found, "subject").kind == NONE
    assert found.trials["test"]["untrue_labels"] == 0
    assert found.trials["test"]["n_subjects"] == 12
    assert one(found, "session", "face", "genuine test trials").count == 0


@pytest.mark.parametrize("part", ["dev", "train"])
def test_a_subject_on_both_sides(av_manifest: Manifest, av_settings: Settings, part: str) -> None:
    items = av_manifest.items
    subject = items["subject"].to_numpy().copy()
    rows = np.flatnonzero(items["split"] == part)
    subject[rows[0]] = 0
    found = audit(with_items(av_manifest, subject=subject), av_settings)
    assert one(found, "subject", "", f"{part} and test" if part == "dev" else "train and test").kind == LEAK
    assert one(found, "subject", "", "test trials and dev").count == 1


def rows_of(manifest: Manifest, *ids: str) -> np.ndarray:
    index = pd.Index(manifest.items["id"])
    return np.asarray(index.get_indexer(pd.Index(ids)))


A, B, SAME_VIDEO, OTHER = "test00/v0/c0", "test00/v1/c0", "test00/v0/c1", "test01/v0/c0"


@pytest.mark.parametrize(
    ("pairs", "level", "modality", "between", "count", "kind"),
    [
        ([(A, B, 1), (A, OTHER, 0)], "session", "face", "genuine list trials", 0, NONE),
        ([(A, SAME_VIDEO, 1), (A, OTHER, 0)], "session", "face", "genuine list trials", 1, LEAK),
        ([(A, A, 1), (A, OTHER, 0)], "item with itself", "", "list trials", 1, LEAK),
        ([(A, OTHER, 1), (A, B, 0)], "untrue label", "", "list trials", 2, LEAK),
        ([(A, B, 1), (A, B, 1), (B, A, 1)], "duplicate", "", "list trials", 2, BY_DESIGN),
        ([(A, OTHER, 0), (OTHER, A, 0)], "duplicate", "", "list trials", 1, BY_DESIGN),
        ([(A, "dev00/v0/c0", 0), (A, B, 1)], "subject", "", "list trials and dev", 1, LEAK),
    ],
)
def test_lists(
    av_manifest: Manifest,
    av_settings: Settings,
    pairs: list[tuple[str, str, int]],
    level: str,
    modality: str,
    between: str,
    count: int,
    kind: str,
) -> None:
    enrolment, probe, genuine = zip(*pairs, strict=True)
    asked = TrialList(np.array(enrolment, object), np.array(probe, object), np.array(genuine) == 1)
    told = one(audit(av_manifest, av_settings, listed(av_manifest, asked, "a list")), level, modality, between)
    assert (told.count, told.kind) == (count, kind)


def test_unknown_ids_are_counted(av_manifest: Manifest, av_settings: Settings) -> None:
    trials = of_manifest(av_manifest)
    enrolment = trials.enrolment.copy()
    enrolment[:3] = -1
    told = audit(av_manifest, av_settings, Trials(enrolment, trials.probe, trials.genuine, "a list")).trials["list"]
    assert (told["n_unknown"], told["n"]) == (3, len(trials.genuine) - 3)


def test_impostors_of_one_person(av_manifest: Manifest, av_settings: Settings) -> None:
    people = av_manifest.subjects["face"].to_list()
    people[1] = people[0]
    manifest = replace(av_manifest, subjects=av_manifest.subjects.assign(face=people))
    told = one(audit(manifest, av_settings), "public person", "", "impostor test trials")
    trials = of_manifest(manifest)
    subject = manifest.items["subject"].to_numpy()
    sides = np.sort([subject[trials.enrolment], subject[trials.probe]], axis=0)
    assert told.kind == LEAK
    assert told.count == int(((sides[0] == 0) & (sides[1] == 1)).sum())


def test_the_rule_decides_what_is_by_design(av_set: Path, av_home: Path, av_settings: Settings) -> None:
    sets = resolve(AUDIOVISUAL, str(av_set), {}, av_home)
    manifest = virtual.build(sets, Plan(AUDIOVISUAL, genuine="clip"), av_home)
    told = one(audit(manifest, av_settings), "session", "face", "genuine test trials")
    assert told.kind == BY_DESIGN
    assert told.count > 0


# --- near-identical vectors ----------------------------------------------------------------


def planted(n: int, dim: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random vectors of n subjects, of which the last two rows equal the first two of other subjects."""
    vectors = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    vectors[-2:] = vectors[:2]
    return vectors, np.arange(n)


@pytest.mark.parametrize("n", [50, 3000])
def test_copies_are_found(n: int) -> None:
    vectors, subjects = planted(n)
    found = leak_near.near(vectors, subjects)
    assert (found.n, found.n_pairs, found.n_items, found.n_subject_pairs) == (n, 2, 4, 2)
    assert {(i, j) for _, i, j in found.top} == {(0, n - 2), (1, n - 1)}


def test_copies_of_one_subject_do_not_count() -> None:
    vectors, subjects = planted(50)
    subjects[-2:] = subjects[:2]
    assert leak_near.near(vectors, subjects).n_pairs == 0


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.9])
def test_the_tree_finds_what_all_pairs_give(monkeypatch: pytest.MonkeyPatch, threshold: float) -> None:
    rng = np.random.default_rng(1)
    vectors = np.repeat(rng.standard_normal((60, 12)), 5, axis=0) + 0.2 * rng.standard_normal((300, 12))
    subjects = np.arange(300) % 7
    whole = leak_near.near(vectors, subjects, threshold)
    monkeypatch.setattr(leak_near, "DENSE", 10)
    tree = leak_near.near(vectors, subjects, threshold)
    assert replace(tree, top=()) == replace(whole, top=())
    assert [c for c, _, _ in tree.top] == pytest.approx([c for c, _, _ in whole.top], abs=2e-6)
    centred = vectors - vectors.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1)[:, None]
    above = np.triu(centred @ centred.T >= threshold, 1) & (subjects[:, None] != subjects)
    assert whole.n_pairs == int(above.sum()) > 0


def test_what_cannot_be_compared_is_left_out() -> None:
    vectors, subjects = planted(50)
    vectors[10] = np.nan
    assert leak_near.near(vectors, subjects).n == 49
    assert leak_near.near(np.ones((5, 3)), np.arange(5)).n == 0
    assert leak_near.near(np.zeros((0, 3)), np.arange(0)).n_pairs == 0


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1, float("nan")])
def test_a_threshold_that_is_no_cosine(threshold: float) -> None:
    with pytest.raises(ValueError, match="expected a threshold above 0"):
        leak_near.near(*planted(5), threshold)


def test_vectors_of_a_set_are_looked_at(av_manifest: Manifest, av_settings: Settings) -> None:
    looked = {one["modality"]: one for one in audit(av_manifest, av_settings, near=0.2).near}
    assert looked["face"]["looked"]
    assert looked["face"]["n"] == len(av_manifest.items)
    assert looked["voice"]["n_pairs"] > 0
    first = looked["voice"]["top"][0]
    assert first["cosine"] >= 0.2
    assert first["subjects"][0] != first["subjects"][1]
    assert first["samples"][0].startswith("tiny/voice#")


def test_images_are_looked_at_once_extracted(
    tiny_root: Path, tmp_path: Path, tiny_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mmbio.embed import extract as extraction

    sets = resolve(MULTITASK, str(tiny_root), {}, tmp_path)
    manifest = virtual.build(sets, Plan(MULTITASK, triplets=5, folds=2), tmp_path)
    settings = replace(tiny_settings, home=tmp_path)
    before = {one["modality"]: one for one in audit(manifest, settings).near}
    assert "add --extract" in before["face"]["why"]
    assert "add --extract" in before["ecg"]["why"]
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        "mmbio.embed.extractors.Images.open", lambda self: lambda images: rng.standard_normal((len(images), self.dim))
    )
    extraction.extract(extraction.Job(manifest, "face", None, settings), np.arange(len(manifest.items)))
    after = {one["modality"]: one for one in audit(manifest, replace(settings, weights="auto")).near}
    assert (after["face"]["looked"], after["face"]["n"]) == (True, len(manifest.items))
    assert not after["finger"]["looked"]


# --- pairings and words --------------------------------------------------------------------


def test_pairings_beside(tiny_root: Path, tiny_settings: Settings, tmp_path: Path) -> None:
    sets = resolve(MULTITASK, str(tiny_root), {}, tmp_path)
    plans = {"own": Plan(MULTITASK), "split": Plan(MULTITASK, split="source"), "seed": Plan(MULTITASK, seed=1)}
    made = {name: virtual.build(sets, plan, tmp_path) for name, plan in plans.items()}
    (tmp_path / "manifests" / "broken").mkdir()
    (tmp_path / "manifests" / "broken" / "manifest.json").write_text("{")
    found = audit(made["own"], tiny_settings)
    same = {p.manifest: p.same for p in found.pairings}
    assert same == {made["split"].folder.name: True, made["seed"].folder.name: False}
    assert found.pairing["hash"] == audit(made["split"], tiny_settings).pairing["hash"]


@pytest.mark.parametrize("which", ["tiny_manifest", "av_manifest"])
def test_json_and_lines(which: str, request: pytest.FixtureRequest, tiny_settings: Settings) -> None:
    manifest: Manifest = request.getfixturevalue(which)
    found = audit(manifest, tiny_settings)
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert (told["schema"], told["manifest"], told["split"]) == (1, manifest.hash, manifest.info["split"])
    for finding in told["findings"]:
        assert {"level", "modality", "between", "count", "of", "share", "kind", "says"} <= finding.keys()
        assert finding["kind"] in (LEAK, BY_DESIGN, NOT_KNOWN, NONE)
        assert (finding["count"] == 0) == (finding["share"] == 0)
        assert "\n" not in finding["says"]
    text = "\n".join(found.lines())
    assert all(f.says in text for f in found.findings if f.kind != NONE)
    assert found == audit(manifest, tiny_settings)


def test_the_papers_split_on_real_data(real_data: Path, tmp_path: Path, tiny_settings: Settings) -> None:
    """Images alone are read: the faces of real people, and what the audio-visual protocol makes of them."""
    for name in ("faces94", "LibriSpeech"):
        if not (real_data / name).is_dir():
            pytest.skip(f"no {name}")
    sets = resolve(AUDIOVISUAL, str(real_data), {}, tmp_path)
    manifest = virtual.build(sets, Plan(AUDIOVISUAL, match="none", frames=2, genuine="clip"), tmp_path)
    found = audit(manifest, replace(tiny_settings, home=tmp_path))
    assert not found.leaks
    assert one(found, "session", "face").kind == NOT_KNOWN
    assert one(found, "session", "voice", "genuine test trials").kind == BY_DESIGN
