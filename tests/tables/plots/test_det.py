"""DET curves: a picture of any operating points, the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbio.errors import MmbioError
from mmbio.tables.plots import style
from mmbio.tables.plots.det import Curve, draw, grid, view

FMR = np.array([1, 0.5, 0.1, 0.01, 0.0])
FNMR = np.array([0, 0.001, 0.05, 0.5, 1.0])
AT = np.array([0.001, 0.1, 0.6])
BAND = AT, np.array([0.5, 0.01, 0.0]), np.array([1.0, 0.1, 0.01])
Band = tuple[np.ndarray, np.ndarray, np.ndarray] | None
NO_BAND = AT, np.full(3, np.nan), np.full(3, np.nan)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize("band", [None, BAND, NO_BAND], ids=["none", "band", "nan"])
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str, band: Band) -> None:
    curves = [Curve(name, FMR, FNMR, 0.07, band) for name in "AB"]
    paths = [tmp_path / name / f"det.{suffix}" for name in ("a", "b")]
    for path in paths:
        draw(curves, "title", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize(
    ("fmr", "fnmr", "eer"),
    [
        (FMR, FNMR, 0.07),
        (np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]), 0.0),  # perfect
        (np.array([1.0, 1.0, 0.0]), np.array([0.0, 1.0, 1.0]), 1.0),  # inverted
        (np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5),  # all tied
        (np.array([1.0, 0.9999, 0.0]), np.array([0.0, 0.9999, 1.0]), 0.9999),  # off the chart
        (np.array([1.0, 1e-9, 0.0]), np.array([0.0, 1e-9, 1.0]), 1e-9),
    ],
)
def test_any_points_make_a_picture(tmp_path: Path, fmr: np.ndarray, fnmr: np.ndarray, eer: float) -> None:
    draw([Curve("", fmr, fnmr, eer)], "title", tmp_path / "det.png")
    with Image.open(tmp_path / "det.png") as picture:
        assert picture.width == round(style.COLUMN * style.DPI)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


@pytest.mark.parametrize(("n", "banded"), [(1, True), (4, True), (5, False)])
def test_bands_of_at_most_four(tmp_path: Path, n: int, banded: bool) -> None:
    curves = [Curve(f"system {i}", FMR, FNMR, 0.07, BAND) for i in range(n)]
    text = draw(curves, "title", tmp_path / "det.svg")[0].read_text()
    assert text.count("fill-opacity: 0.13") == (n if banded else 0)
    assert text.count(", EER 7.00 %") == n


@pytest.mark.parametrize(
    ("eers", "ends"),
    [
        ([0.04, 0.1], (0.002, 0.4)),
        ([0.0], (0.0005, 0.4)),
        ([0.5], (0.01, 0.98)),
        ([1e-6], (0.0001, 0.4)),
        ([], (0.0005, 0.4)),
    ],
)
def test_rates_in_view(eers: list[float], ends: tuple[float, float]) -> None:
    assert view(eers) == pytest.approx(ends)
    found = grid(eers)
    assert (found[[0, -1]] == pytest.approx(ends)) and (np.diff(found) > 0).all()


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(MmbioError, match="cannot be written"):
        draw([Curve("", FMR, FNMR, 0.07)], "title", tmp_path / "out" / "det.png")
