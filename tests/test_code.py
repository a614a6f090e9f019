"""Code hashes: which files stand for a room."""

from pathlib import Path

import pytest

from mmbio import code
from mmbio.code import code_hashes


def test_each_room_has_a_hash_of_its_own() -> None:
    hashes = code_hashes(["data", "fuse"])
    assert list(hashes) == ["data", "fuse"]
    assert hashes["data"] != hashes["fuse"]
    assert all(len(h) == 16 and set(h) <= set("0123456789abcdef") for h in hashes.values())


def test_a_hash_does_not_depend_on_what_is_asked_beside_it() -> None:
    assert code_hashes(["fuse"])["fuse"] == code_hashes(["data", "fuse"])["fuse"]


def test_no_room_no_hash() -> None:
    assert code_hashes([]) == {}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("data/a.py", True),
        ("data/deep/b.py", True),
        ("protocols.py", True),
        ("data/readers/e.py", False),
        ("data/synthetic/f.py", False),
        ("fuse/c.py", False),
        ("data/d.txt", False),
    ],
)
def test_what_moves_a_hash(path: str, changes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apart = ("data/readers/e.py", "data/synthetic/f.py")
    for name in ("protocols.py", "conditions.py", "data/a.py", "data/deep/b.py", "fuse/c.py", "data/d.txt", *apart):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    monkeypatch.setattr(code, "PACKAGE", tmp_path)
    before = code._hash.__wrapped__("data")
    (tmp_path / path).write_text("2\n")
    assert (code._hash.__wrapped__("data") != before) is changes
