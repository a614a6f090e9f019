"""Sources: which folder stands behind which modality."""

from pathlib import Path

import pytest

from mmbio.data import sources
from mmbio.data.samples import SampleSet
from mmbio.data.sources import resolve, synthetic_root
from mmbio.errors import MmbioError
from mmbio.protocols import MULTITASK

MODALITIES = MULTITASK.modalities


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
    assert folders(resolve(MODALITIES, None, {}, home)) == {
        "ecg": [root / "ecg-id-database-1.0.0"],
        "face": [root / "faces95"],
        "finger": [root / "fvc2006"],
    }


def test_a_root_is_given_or_set_and_then_nothing_is_made(
    home: Path, tiny_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = folders(resolve(MODALITIES, str(tiny_root), {}, home))
    monkeypatch.setenv("MMBIO_DATA", str(tiny_root))
    assert folders(resolve(MODALITIES, None, {}, home)) == given
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
    found = folders(resolve(MODALITIES, str(root), {"face": place}, home))
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
        resolve(MODALITIES, data, given, home)
