"""Who stands behind a manifest: a real person is not the one whom mmbio made under the same name."""

from pathlib import Path

import pytest

from mmbio.files import write_json
from mmbio.purge.person import Person, named, namesakes

ANNA, BERTA = Person("ecg-id", "anna"), Person("fvc", "berta")
EVERYBODY = (ANNA, BERTA)


def manifest(home: Path, name: str, ecg: bool, finger: bool) -> Path:
    """A manifest of two virtual subjects, each modality of it synthetic or not."""
    folder = home / "manifests" / name
    folder.mkdir(parents=True)
    (folder / "subjects.csv").write_text(f"subject,ecg,finger\n0,{ANNA.name},fvc/x\n1,ecg-id/y,{BERTA.name}\n")
    write_json(folder / "manifest.json", {"sources": {"ecg": {"synthetic": ecg}, "finger": {"synthetic": finger}}})
    return folder


@pytest.mark.parametrize(
    ("ecg", "finger", "real", "found"),
    [
        (False, False, EVERYBODY, [{ANNA}, {BERTA}]),
        (False, True, EVERYBODY, [{ANNA}, set()]),
        (True, True, EVERYBODY, [set(), set()]),
        (True, True, (ANNA,), [set(), {BERTA}]),
        (True, True, (), [{ANNA}, {BERTA}]),
    ],
)
def test_named(tmp_path: Path, ecg: bool, finger: bool, real: tuple[Person, ...], found: list[set[Person]]) -> None:
    folder = manifest(tmp_path, "a", ecg, finger)
    assert named(folder, EVERYBODY, real) == found
    assert named(folder, [Person("ecg-id", "z")], real) == [set(), set()]
    assert namesakes(tmp_path, EVERYBODY, real) == ([] if any(found) else [folder])


def test_a_manifest_that_does_not_say_is_of_the_real_one(tmp_path: Path) -> None:
    write_json(manifest(tmp_path, "a", True, True) / "manifest.json", {})
    assert namesakes(tmp_path, EVERYBODY, EVERYBODY) == []
