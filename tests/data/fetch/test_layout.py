"""Where in a folder a set begins, and what of it is missing."""

from pathlib import Path

import pytest

from mmbio.data.fetch.dataset import Dataset, Part
from mmbio.data.fetch.layout import find, missing, size_of


def a_set(*parts: Part) -> Dataset:
    return Dataset("x", "X", ("face",), "", "", "", "", "x", "", parts=parts)


def make(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("x")
    return folder


TWO = a_set(Part("images", "Real/*.bmp"), Part("more", "Altered/*/*.bmp", optional=True))


@pytest.mark.parametrize(
    ("paths", "base", "files"),
    [
        (("Real/1.bmp",), "", {"Real/1.bmp"}),
        (("a/b/real/1.BMP", "a/b/readme.txt"), "a/b", {"real/1.BMP", "readme.txt"}),
        (("a/Real/1.bmp", "b/Real/1.bmp", "b/Real/2.bmp"), "b", {"Real/1.bmp", "Real/2.bmp"}),  # the fuller
        (("a/b/Real/1.bmp", "b/Real/1.bmp"), "b", {"Real/1.bmp"}),  # the nearer
        (("Real/1.bmp", "Real/notes/x.doc", "other/2.bmp", "got.zip"), "", {"Real/1.bmp", "Real/notes/x.doc"}),
        (("Real/1.bmp", "Real/.DS_Store", "__MACOSX/Real/1.bmp", "Real/Thumbs.db"), "", {"Real/1.bmp"}),
    ],
)
def test_find(paths: tuple[str, ...], base: str, files: set[str], tmp_path: Path) -> None:
    found = find(TWO, make(tmp_path, *paths))
    assert found is not None
    assert found.base == (tmp_path / base).resolve()
    assert set(found.files) == files


def test_one_too_deep(tmp_path: Path) -> None:
    found = find(TWO, make(tmp_path, "Real/1.bmp") / "Real")
    assert found is not None
    assert (found.base, found.files) == (tmp_path.resolve(), ("Real/1.bmp",))


def test_nothing(tmp_path: Path) -> None:
    assert find(TWO, make(tmp_path, "Unreal/1.bmp", "1.bmp")) is None


def test_a_part_shared_with_other_sets_does_not_tell(tmp_path: Path) -> None:
    dataset = a_set(Part("clips", "test/*.flac"), Part("genders", "SPEAKERS.TXT", shared=True))
    assert find(dataset, make(tmp_path, "SPEAKERS.TXT")) is None
    found = find(dataset, make(tmp_path, "test/1.flac"))
    assert found is not None
    assert found.counts == {"test/*.flac": 1, "SPEAKERS.TXT": 1}


ONE = Part("headers", "*.hea", (3,))
OPTIONAL = Part("signals", "*.dat", (3, 2), optional=True)


@pytest.mark.parametrize(
    ("parts", "counts", "told"),
    [
        ((ONE,), {"*.hea": 3}, []),
        ((ONE,), {"*.hea": 2}, ["headers: 2 of 3 (*.hea)"]),
        ((ONE,), {"*.hea": 4}, ["headers: 4 of 3 (*.hea)"]),
        ((ONE,), {}, ["headers: none of 3 (*.hea)"]),
        ((ONE, OPTIONAL), {"*.hea": 3}, []),
        ((ONE, OPTIONAL), {"*.hea": 3, "*.dat": 1}, ["signals: 1 of 3 or 2 (*.dat)"]),
        ((OPTIONAL,), {"*.dat": 2}, []),
        ((OPTIONAL,), {}, ["none of *.dat"]),
        ((Part("any", "*"),), {"*": 9}, []),
    ],
)
def test_missing(parts: tuple[Part, ...], counts: dict[str, int], told: list[str]) -> None:
    assert missing(parts, counts) == told


def test_size_of(tmp_path: Path) -> None:
    make(tmp_path, "a")
    (tmp_path / "link").symlink_to("/nowhere")
    assert [size_of(tmp_path / name) for name in ("a", "link", ".")] == [1, 0, 0]
