"""DET curve: a picture of any operating points, the same bytes each time."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmbio.errors import MmbioError
from mmbio.tables.det import draw

FMR = np.array([1, 0.5, 0.1, 0.01, 0.0])
FNMR = np.array([0, 0.001, 0.05, 0.5, 1.0])


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_bytes_each_time(tmp_path: Path, suffix: str) -> None:
    paths = [tmp_path / name / f"det.{suffix}" for name in ("a", "b")]
    for path in paths:
        draw(FMR, FNMR, 0.07, "title", path)
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
    draw(fmr, fnmr, eer, "title", tmp_path / "det.png")
    with Image.open(tmp_path / "det.png") as picture:
        assert picture.size == (920, 920)
        assert len(np.unique(np.asarray(picture.convert("L")))) > 10


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(MmbioError, match="cannot be written"):
        draw(FMR, FNMR, 0.07, "title", tmp_path / "out" / "det.png")
