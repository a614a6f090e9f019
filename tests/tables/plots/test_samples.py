"""Samples before and after noise: the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbio.errors import MmbioError
from mmbio.tables.plots.samples import before_after
from mmbio.tables.plots.style import DPI

RNG = np.random.default_rng(0)
BEATS = [RNG.random((3, 300), dtype=np.float32) for _ in range(2)]
IMAGES = [RNG.integers(0, 256, (20, 18, 3), dtype=np.uint8) for _ in range(3)]


@pytest.mark.parametrize("samples", [BEATS, IMAGES, IMAGES[:1]], ids=["beats", "images", "one"])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_bytes_each_time(tmp_path: Path, samples: list[np.ndarray], suffix: str) -> None:
    paths = [tmp_path / name / f"figure.{suffix}" for name in ("a", "b")]
    for path in paths:
        before_after(samples, samples[::-1], "face=0.97", path)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert [entry.name for entry in tmp_path.rglob("*.*")] == [f"figure.{suffix}"] * 2


def test_png_is_a_picture_as_wide_as_its_samples(tmp_path: Path) -> None:
    before_after(IMAGES, IMAGES, "face=0.97", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (round(DPI * (1.6 * 3 + 0.6)), round(DPI * 3.8))
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.parametrize(
    ("suffix", "start", "date"),
    [("svg", b"<?xml", b"<dc:date>"), ("pdf", b"%PDF", b"CreationDate"), ("png", b"\x89PNG", b"tIME")],
)
def test_files_have_no_date(tmp_path: Path, suffix: str, start: bytes, date: bytes) -> None:
    before_after(BEATS, BEATS, "ecg=0.1", tmp_path / f"a.{suffix}")
    content = (tmp_path / f"a.{suffix}").read_bytes()
    assert content.startswith(start)
    assert date not in content


def test_an_svg_holds_images_as_they_are(tmp_path: Path) -> None:
    before_after(IMAGES, IMAGES, "face=0.97", tmp_path / "a.svg")
    assert (tmp_path / "a.svg").stat().st_size < 60_000


def test_as_many_after_as_before(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        before_after(BEATS, BEATS[:1], "ecg=0.1", tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(MmbioError, match="cannot be written"):
        before_after(BEATS, BEATS, "ecg=0.1", tmp_path / "out" / "a.png")
