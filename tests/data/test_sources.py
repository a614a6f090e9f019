"""Sources: which folder stands behind which modality."""

from pathlib import Path

import numpy as np
import pytest

from mmbio.data import sources, vector_sets
from mmbio.data.samples import SampleSet
from mmbio.data.sources import resolve, simulated_set, synthetic_root
from mmbio.data.synthetic import embeddings
from mmbio.errors import MmbioError
from mmbio.protocols import AUDIOVISUAL, MULTITASK


@pytest.fixture
def home(tmp_path: Path, tiny_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose synthetic root is made, when it is, by pointing at the tiny one."""

    def ensure(root: Path, **_: object) -> bool:
        if not root.exists():
            root.parent.mkdir(parents=True)
            root.symlink_to(tiny_root)
        return True

    monkeypatch.setattr(sources, "ensure", ensure)
    monkeypatch.delenv("MMBIO_DATA", raising=False)
    return tmp_path


def folders(found: dict[str, tuple[SampleSet, ...]]) -> dict[str, list[Path]]:
    return {modality: [one.folder for one in sets] for modality, sets in found.items()}


def test_nothing_given_is_the_synthetic_root(home: Path) -> None:
    root = synthetic_root(home)
    assert folders(resolve(MULTITASK, None, {}, home)) == {
        "ecg": [root / "ecg-id-database-1.0.0"],
        "face": [root / "faces95"],
        "finger": [root / "fvc2006"],
    }


def test_a_root_is_given_or_set_and_then_nothing_is_made(
    home: Path, tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = folders(resolve(MULTITASK, str(tiny_root), {}, home))
    monkeypatch.setenv("MMBIO_DATA", str(tiny_root))
    assert folders(resolve(MULTITASK, None, {}, home)) == given
    assert not synthetic_root(home).exists()


@pytest.mark.parametrize("where", ["synthetic", "folder", "set", "faces95"])
def test_one_modality_from_elsewhere(home: Path, tiny_root: Path, tmp_path: Path, where: str) -> None:
    root = tmp_path / "own"
    root.mkdir()
    (root / "ecg-id-database-1.0.0").symlink_to(tiny_root / "ecg-id-database-1.0.0")
    (root / "fvc2006").symlink_to(tiny_root / "fvc2006")
    if where == "faces95":
        (root / "faces95").symlink_to(tiny_root / "faces95")
    place = {"folder": str(tiny_root), "set": str(tiny_root / "faces95")}.get(where, where)
    found = folders(resolve(MULTITASK, str(root), {"face": place}, home))
    assert found["ecg"] == [root / "ecg-id-database-1.0.0"]
    base = {"synthetic": synthetic_root(home), "faces95": root}.get(where, tiny_root)
    assert found["face"] == [base / "faces95"]
    assert synthetic_root(home).exists() == (where == "synthetic")


@pytest.mark.parametrize(
    ("data", "given", "told"),
    [
        ("nowhere", {}, r"nowhere: no such folder; .*--data"),
        (".", {}, r"\.: no ecg set there \(looked for the folders ecg-id-database-1\.0\.0.*--source ecg=synthetic"),
        (None, {"nose": "synthetic"}, r"--source nose=\.\.\.: unknown modality; choose from ecg, face, finger"),
        (None, {"face": "nowhere"}, "nowhere: no such folder"),
        (None, {"face": "fvc2004"}, "set 'fvc2004': no face set of this name; choose from faces95"),
        (None, {"face": "faces96"}, "no face set there .*faces96"),
    ],
)
def test_what_is_not_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, data: str | None, given: dict[str, str], told: str
) -> None:
    (home / "empty").mkdir()
    monkeypatch.chdir(home / "empty")
    with pytest.raises(MmbioError, match=told):
        resolve(MULTITASK, data, given, home)


@pytest.fixture
def simulating(home: Path, av_set: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, int]]:
    """What was simulated: the tiny vector set stands in for it."""
    made: list[tuple[Path, str, int]] = []

    def ensure(folder: Path, scale: str, seed: int) -> bool:
        made.append((folder, scale, seed))
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(av_set)
        return True

    monkeypatch.setattr(embeddings, "ensure", ensure)
    return made


@pytest.mark.parametrize("data", [None, "simulated"])
def test_nothing_given_is_simulated_where_pairs_are_compared(
    home: Path, simulating: list[tuple[Path, str, int]], data: str | None
) -> None:
    found = resolve(AUDIOVISUAL, data, {}, home, scale="paper", seed=3)
    where = simulated_set(home, "paper", 3)
    assert simulating == [(where, "paper", 3)]
    assert folders(found) == {"face": [where], "voice": [where]}
    assert not synthetic_root(home).exists()


def test_a_vector_set_is_a_sample_a_row(home: Path, av_set: Path) -> None:
    ((face,), (voice,)) = resolve(AUDIOVISUAL, str(av_set), {}, home).values()
    table = vector_sets.read(av_set).samples
    assert (face.name, voice.name) == ("tiny", "tiny")
    assert [s.sample for s in face.samples] == table["id"].tolist()
    assert [s.row for s in voice.samples] == table["voice"].tolist()
    assert {s.part for s in face.samples} == {"dev", "test"}
    assert face.samples[1].session == "test00/v0"
    assert voice.vectors["segments"] == ["0.115", "1.015"]
    assert sorted(voice.vectors["files"]) == ["voice-0.115.npy", "voice-1.015.npy"]
    assert face.attributes is not None
    assert list(face.attributes.columns) == ["id", "Smiling"]


def test_samples_without_a_vector_are_no_samples_and_zeros_are_told(home: Path, av_set: Path, tmp_path: Path) -> None:
    table = vector_sets.read(av_set).samples
    table.loc[0, "voice"] = -1
    vectors = {m: {"": np.load(av_set / name)} for m, name in (("face", "face.npy"), ("voice", "voice-0.115.npy"))}
    vectors["face"][""][:2] = 0
    vector_sets.write(tmp_path / "set", "tiny", table.assign(gender=""), vectors)
    ((face,), (voice,)) = resolve(AUDIOVISUAL, str(tmp_path / "set"), {}, home).values()
    assert (len(face.samples), len(voice.samples)) == (216, 215)
    assert face.notes == ("tiny: 2 face vectors are zero; their cosine is 0",)
    assert voice.notes == ()
    assert {s.gender for s in face.samples} == {None}


def test_embeddings_are_not_classified(home: Path, av_set: Path) -> None:
    with pytest.raises(MmbioError, match="holds embeddings, which the protocol multitask does not take; add --"):
        resolve(MULTITASK, str(av_set), {}, home)


@pytest.mark.usefixtures("simulating")
def test_a_source_is_never_put_beside_simulated_people(home: Path, tiny_root: Path) -> None:
    with pytest.raises(MmbioError, match=r"--source face=\.\.\.: no data for voice, since .* name a source of each"):
        resolve(AUDIOVISUAL, None, {"face": str(tiny_root)}, home)
    with pytest.raises(MmbioError, match=r"nowhere: no such folder"):
        resolve(AUDIOVISUAL, None, {"face": str(tiny_root), "voice": "nowhere"}, home)
    with pytest.raises(MmbioError, match=r"--source ecg=\.\.\.: unknown modality; choose from face, voice"):
        resolve(AUDIOVISUAL, None, {"ecg": "synthetic"}, home)
