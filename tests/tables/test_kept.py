"""Notes: what was made of the same and is whole stands; anything else is made again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mmbio.tables.kept import FILE, Made, Notes, write_changed


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A page of one file that rests on another, noted as made of {"a": 1}."""
    page, base = tmp_path / "place" / "page.txt", tmp_path / "base.bin"
    page.parent.mkdir()
    page.write_text("a page")
    base.write_bytes(b"base")
    notes = Notes(tmp_path)
    thing = Made((page,), {"title": "A page"}, (base,))
    notes.add("page", {"a": 1}, thing)
    notes.save()
    return thing


def test_what_stands_is_found_by_another_process(made: Made, tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    assert notes.find("page", {"a": 1}) == made
    assert notes.told("page") == {"title": "A page"}
    assert not notes.is_new


def test_a_folder_that_was_moved_keeps_its_notes(made: Made, tmp_path: Path) -> None:
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    found = Notes(moved).find("page", {"a": 1})
    assert found is not None
    assert found.files == (moved / "place" / "page.txt",)
    assert found.told == made.told


@pytest.mark.parametrize(("name", "of"), [("page", {"a": 2}), ("page", None), ("other", {"a": 1})])
def test_of_another_thing(made: Made, tmp_path: Path, name: str, of: dict[str, int] | None) -> None:
    assert made.files
    assert Notes(tmp_path).find(name, of) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda made: made.files[0].unlink(),
        lambda made: made.files[0].write_text("a pagE"),
        lambda made: made.seen[0].unlink(),
        lambda made: made.seen[0].write_bytes(b"longer"),
    ],
    ids=["gone", "edited", "base gone", "base changed"],
)
def test_what_is_not_whole(made: Made, tmp_path: Path, damage: Callable[[Made], object]) -> None:
    damage(made)
    assert Notes(tmp_path).find("page", {"a": 1}) is None


def test_an_edited_note_counts_for_nothing(made: Made, tmp_path: Path) -> None:
    assert made.told
    found = json.loads((tmp_path / FILE).read_text())
    found["page"]["told"]["title"] = "Another"
    (tmp_path / FILE).write_text(json.dumps(found))
    assert Notes(tmp_path).told("page") is None


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"page": 3}', '{"page": {"hash": "x"}}', '{"page": {}}'])
def test_damaged_notes_are_written_anew(made: Made, tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    notes = Notes(tmp_path)
    assert notes.keep("page", {"a": 1}, lambda: made) == made
    notes.save()
    assert Notes(tmp_path).find("page", {"a": 1}) == made


def test_kept_is_made_once(made: Made, tmp_path: Path) -> None:
    def never() -> Made:
        raise AssertionError("made again")

    before = (tmp_path / FILE).stat().st_mtime_ns
    notes = Notes(tmp_path)
    assert notes.keep("page", {"a": 1}, never) == made
    notes.save()
    assert (tmp_path / FILE).stat().st_mtime_ns == before


def test_notes_of_others_stay(made: Made, tmp_path: Path) -> None:
    first, second = Notes(tmp_path), Notes(tmp_path)
    first.add("one", 1, Made())
    second.add("two", 2, Made())
    first.save()
    second.save()
    found = Notes(tmp_path)
    assert [found.find(*known) is not None for known in (("one", 1), ("two", 2))] == [True, True]
    assert found.find("page", {"a": 1}) == made


def test_unchanged_text_keeps_its_time(tmp_path: Path) -> None:
    path = tmp_path / "text"
    write_changed(path, "one")
    before = path.stat()
    write_changed(path, "one")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    write_changed(path, "two")
    assert path.read_text() == "two"
