"""The look: what tells lines apart, which files are written, and SVGs that stand in one page."""

import re
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mmbio.tables.plots import style


@style.styled
def figure(title: str = "a & b") -> Figure:
    made = Figure(figsize=(style.COLUMN, 2), layout="constrained")
    axis = made.subplots()
    axis.plot([0, 1], [0, 1], **style.of_line(1), label="one")
    axis.set_xlabel("x axis")
    style.title(made, title)
    style.legend_below(made, axis)
    return made


def test_png_and_svg_beside_each_other(tmp_path: Path) -> None:
    paths = style.save(figure(), tmp_path / "face=0.97")
    assert [path.name for path in paths] == ["face=0.97.png", "face=0.97.svg"]
    with Image.open(paths[0]) as picture:
        assert picture.size == (round(style.COLUMN * style.DPI), 2 * style.DPI)


@pytest.mark.parametrize("suffix", style.FORMATS)
def test_one_format_alone_with_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    first, second = (style.save(figure(), tmp_path / name / f"a{suffix}") for name in "xy")
    assert (first, second) == ((tmp_path / "x" / f"a{suffix}",), (tmp_path / "y" / f"a{suffix}",))
    assert first[0].read_bytes() == second[0].read_bytes()


def test_ids_of_two_figures_never_meet(tmp_path: Path) -> None:
    texts = [style.save(figure(), tmp_path / f"{name}.svg")[0].read_text() for name in ("one.b", "two")]
    ids = [re.findall(r'\bid="([^"]+)"', text) for text in texts]
    assert all(len(set(found)) == len(found) > 5 for found in ids)
    assert not set(ids[0]) & set(ids[1])
    for text, found in zip(texts, ids, strict=True):
        used = re.findall(r'(?:url\(#|href="#)([^")]+)', text)
        assert used
        assert set(used) <= set(found)


def test_an_svg_has_text_a_name_and_a_style_of_its_own(tmp_path: Path) -> None:
    text = style.save(figure(), tmp_path / "one.svg")[0].read_text()
    assert ">x axis<" in text
    assert "'DejaVu Sans', sans-serif" in text  # for who has it not
    assert 'role="img" aria-label="a &amp; b"' in text
    assert re.findall(r"<style[^>]*>([^{]*)\{", text) == ["#f-one *"]


def test_no_text_is_smaller_than_7_points(tmp_path: Path) -> None:
    text = style.save(figure(), tmp_path / "one.svg")[0].read_text()
    sizes = [float(size) for size in re.findall(r"font-size: ([\d.]+)px", text)]  # 72 to the inch
    assert sizes
    assert min(sizes) >= 7


def test_the_users_settings_change_nothing_and_stay(tmp_path: Path) -> None:
    expected = style.save(figure(), tmp_path / "a.png")[0].read_bytes()
    with mpl.rc_context({"font.size": 20, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert style.save(figure(), tmp_path / "a.png")[0].read_bytes() == expected
        assert mpl.rcParams["font.size"] == 20


def test_each_line_looks_its_own_without_colour() -> None:
    looks = [style.of_line(i) for i in range(40)]
    assert len({(look["marker"], str(look["linestyle"])) for look in looks}) == 40
    assert len({look["color"] for look in looks[:7]}) == 7


@pytest.mark.parametrize(
    ("labels", "shape"),
    [(["A", "B", "C"], (3, 1)), (["a" * 14] * 3, (2, 2)), (["a" * 60] * 2, (1, 2)), ([""], (1, 1))],
)
def test_shape_of_legends(labels: list[str], shape: tuple[int, int]) -> None:
    assert style.legend_shape(labels, style.COLUMN) == shape


@pytest.mark.parametrize(("n", "rows"), [(1, 1), (2, 1), (4, 2), (5, 1), (6, 2)])
def test_panels_in_reading_order(n: int, rows: int) -> None:
    made, axes = style.grid(n, 2.0, rows)
    assert axes.shape == (n, rows)
    assert made.get_figwidth() == (style.COLUMN if n == 1 else style.FULL)
    made.canvas.draw()
    corners = np.array([[-axis.get_position().y1, axis.get_position().x0] for axis in axes[:, 0]]).round(2)
    assert sorted(map(tuple, corners)) == list(map(tuple, corners))
