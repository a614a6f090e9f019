"""Listing: natural order, hidden entries, empty files."""

from pathlib import Path

import pytest

from mmbio.data.readers.labels import Label
from mmbio.data.readers.listing import child, files, natural, samples_of, subfolders
from mmbio.data.samples import Sample
from mmbio.errors import MmbioError


def test_natural_order() -> None:
    names = ["rec_10", "rec_2", "Rec_1", "a", "10", "9", "a1b2", "a1b10"]
    assert sorted(names, key=natural) == ["9", "10", "a", "a1b2", "a1b10", "Rec_1", "rec_2", "rec_10"]


def test_hidden_entries_and_other_files_are_left_out(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.jpg", "._a.jpg", "Thumbs.db", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    for name in ("two", "__MACOSX", ".git"):
        (tmp_path / name).mkdir()
    assert [path.name for path in files(tmp_path, [".jpg"])] == ["a.jpg", "b.JPG"]
    assert [path.name for path in subfolders(tmp_path)] == ["two"]


def test_a_file_of_zero_bytes_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(MmbioError, match=r"a\.jpg: zero bytes where an image was expected"):
        files(tmp_path, [".jpg"])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MmbioError, match="none: cannot be listed"):
        subfolders(tmp_path / "none")


def test_child_takes_names_in_order_and_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "PTBDB").mkdir()
    assert child(tmp_path, ["ptb-1.0.0", "ptbdb"]) == tmp_path / "PTBDB"
    assert child(tmp_path, ["faces94"]) is None


def test_samples_count_in_the_order_given(tmp_path: Path) -> None:
    paths = [tmp_path / "a" / "a.2.jpg", tmp_path / "a" / "a.10.jpg"]
    assert samples_of("face", tmp_path, "a", paths, Label("F", 20)) == [
        Sample("face", "a", "a/a.2", 0, "a/a.2.jpg", "F", 20),
        Sample("face", "a", "a/a.10", 1, "a/a.10.jpg", "F", 20),
    ]
    assert samples_of("face", tmp_path, "a", paths, suffix=True)[0].sample == "a/a.2.jpg"
