"""The attention figure: the same bytes each time, no dates, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbio.errors import MmbioError
from mmbio.tables.plots import style
from mmbio.tables.plots.attention import Panel, weights_by_level
from mmbio.tables.plots.attention import draw as draw_panels

LEVELS = [0.0, 0.5, 0.97]
FACE = np.array([0.6, 0.5, 0.2])
TWO = {"face": FACE, "voice": 1 - FACE}
THREE = {"ecg": FACE / 2, "face": np.full(3, 0.5), "finger": 0.5 - FACE / 2}
GAP = {name: np.where(np.arange(3) == 1, np.nan, values) for name, values in TWO.items()}


def draw(path: Path, means: dict[str, np.ndarray] = TWO, levels: list[float] = LEVELS) -> bytes:
    lows, highs = ({name: values + d for name, values in means.items()} for d in (-0.05, 0.05))
    weights_by_level(levels, means, lows, highs, "face: black pixels", path)
    return path.read_bytes()


@pytest.mark.parametrize("means", [TWO, THREE, GAP], ids=["two", "three", "gap"])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_bytes_each_time(tmp_path: Path, means: dict[str, np.ndarray], suffix: str) -> None:
    assert draw(tmp_path / f"a.{suffix}", means) == draw(tmp_path / "b" / f"a.{suffix}", means)


@pytest.mark.parametrize(("suffix", "date"), [("svg", b"<dc:date>"), ("pdf", b"CreationDate"), ("png", b"tIME")])
def test_files_have_no_date(tmp_path: Path, suffix: str, date: bytes) -> None:
    assert date not in draw(tmp_path / f"a.{suffix}")


def test_both_colours_are_in_the_picture(tmp_path: Path) -> None:
    draw(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width == round(style.COLUMN * style.DPI)
        pixels = {tuple(p) for p in np.asarray(picture.convert("RGB")).reshape(-1, 3)}
    assert {(0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)} <= pixels


@pytest.mark.parametrize("levels", [LEVELS, ["clean", "voice=zeros", "face=0.5,voice=random"]], ids=["levels", "texts"])
def test_panels(tmp_path: Path, levels: list[float] | list[str]) -> None:
    panels = [Panel(name, levels, TWO, TWO, TWO) for name in ("A", "C")]
    text = draw_panels(panels, "title", tmp_path / "a.svg")[0].read_text()
    assert text.count(">face<") == text.count(">voice<") == 1  # one legend
    assert (">random<" in text) == isinstance(levels[1], str)


def test_one_level(tmp_path: Path) -> None:
    assert draw(tmp_path / "a.png", {"face": FACE[:1], "voice": 1 - FACE[:1]}, [0.5])


@pytest.mark.parametrize(
    ("means", "levels", "message"),
    [
        (TWO, [0.0, 0.5, 0.5], "levels that rise"),
        (TWO, [], "levels that rise"),
        (TWO, [0.0, 0.5], "2 values of each"),
        ({"nose": FACE}, LEVELS, "modalities of face, voice, ecg, finger, got \\['nose'\\]"),
        ({}, LEVELS, "modalities"),
    ],
)
def test_refused(tmp_path: Path, means: dict[str, np.ndarray], levels: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw(tmp_path / "a.png", means, levels)
    assert not list(tmp_path.iterdir())


def test_other_modalities_in_the_band(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="same modalities"):
        weights_by_level(LEVELS, TWO, TWO, {"face": FACE}, "a", tmp_path / "a.png")


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(MmbioError, match="cannot be written"):
        draw(tmp_path / "out" / "a.png")
