"""The look of every figure: sizes, colours, markers, line styles, and how it is saved.

Sizes are those of print: a paper's column is 3.5 in wide, a page 7 in, and no text is smaller than
7 pt. Colours are Okabe and Ito's, told apart by every kind of colour vision; as grey loses them, each
goes with a marker and a line style of its own.
"""

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from xml.sax.saxutils import quoteattr

import numpy as np

from mmbio.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

COLUMN: Final = 3.5  # inches
FULL: Final = 7.0
DPI: Final = 300
N_BANDS: Final = 4  # more bands than these hide each other

BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, BLACK = (
    *("#0072B2", "#D55E00", "#009E73", "#CC79A7"),
    *("#E69F00", "#56B4E9", "#000000"),
)
COLOURS: Final = (BLUE, VERMILION, GREEN, PINK, BLACK, ORANGE, SKY)
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "d")
DASHES: Final[tuple[Any, ...]] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (2.5, 1)))
GREY: Final = "#777777"  # lines to compare with
PALE: Final = "#dddddd"  # grids

FORMATS: Final = (".png", ".svg", ".pdf")
NO_DATE: Final[Mapping[str, dict[str, None]]] = MappingProxyType(
    {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
)
# Text stays text in SVG: it can be searched, copied and read aloud. DejaVu Sans is wider than what
# a browser without it takes in its place, so nothing grows out of its room.
LOOK: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "font.family": "sans-serif",
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 7.5,
        "axes.titlesize": 7.5,
        "axes.labelsize": 7.5,
        "xtick.labelsize": 7,
        "ytick.labelsize": 7,
        "legend.fontsize": 7,
        "legend.title_fontsize": 7,
        "figure.titlesize": 8,
        "legend.frameon": False,
        "legend.handlelength": 3.6,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": PALE,
        "grid.linewidth": 0.5,
        "lines.linewidth": 1.2,
        "lines.markersize": 4,
        "hatch.linewidth": 0.5,
        "svg.fonttype": "none",
        "pdf.fonttype": 42,
    }
)


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw with mmbio's look, whatever the user's matplotlibrc says."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        from matplotlib import rc_context, rcdefaults, rcParams

        with rc_context():
            rcdefaults()
            for name, value in LOOK.items():
                rcParams[name] = value  # type: ignore[index]
            return draw(*args, **kwargs)

    return drawn


def of_line(index: int) -> dict[str, Any]:
    """Colour, marker and dashes of the line number `index`; 280 lines differ in at least one."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": DASHES[index % len(DASHES)],
    }


def across(n: int) -> int:
    """How many of n panels stand side by side."""
    return 1 if n == 1 else 2 if n in (2, 4) else 3


def grid(n: int, height: float, rows: int = 1) -> "tuple[Figure, np.ndarray]":
    """A figure of n panels and its axes (n, rows): one as wide as a column, more over the page.

    `height` is of one panel in inches, `rows` how many axes, the first four times as high, it consists of.
    """
    from matplotlib.figure import Figure

    wide = across(n)
    down = -(-n // wide)
    figure = Figure(figsize=(COLUMN if n == 1 else FULL, height * down + 0.35), layout="constrained")
    axes = figure.subplots(
        down * rows, wide, squeeze=False, gridspec_kw={"height_ratios": ([4, 1] if rows == 2 else [1]) * down}
    )
    panels = axes.reshape(down, rows, wide).transpose(0, 2, 1).reshape(down * wide, rows)
    for unused in panels[n:].flat:
        unused.set_axis_off()
    return figure, panels[:n]


def title(figure: "Figure", text: str) -> None:
    """Write the title above a figure, on as many lines as its width asks for."""
    if text:
        figure.suptitle(textwrap.fill(text, int(figure.get_figwidth() * 15)))


def folded(condition: str) -> str:
    """A tick's text on several lines where it is long: a condition's effects below each other."""
    return condition.replace(",", ",\n").replace("=", "=\n") if len(condition) > 9 else condition


def legend_shape(labels: Sequence[str], width: float) -> tuple[int, int]:
    """How many columns and rows a legend of these labels has below a figure so many inches wide."""
    columns = int(width * 17 / (max(map(len, labels), default=0) + 9))
    columns = max(1, min(columns, len(labels)))
    return columns, -(-len(labels) // columns)


def legend_below(figure: "Figure", axis: "Axes", heading: str = "") -> None:
    """The legend of an axis below the figure, where it covers nothing."""
    handles, labels = axis.get_legend_handles_labels()
    columns, _ = legend_shape(labels, figure.get_figwidth())
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=columns,
        title=heading or None,
        alignment="left",
        columnspacing=1.2,
    )


@styled
def save(figure: "Figure", path: Path) -> tuple[Path, ...]:
    """Write a figure as PNG and SVG, `path` with these endings; where it ends in one of FORMATS, as that alone.

    The same figure gives the same bytes. The ids in an SVG start with the file's name, so that several stand
    in one page without meeting.
    """
    paths = (path,) if path.suffix in FORMATS else tuple(path.with_name(path.name + s) for s in (".png", ".svg"))
    for target in paths:
        _write(figure, target)
    return paths


def _write(figure: "Figure", path: Path) -> None:
    from matplotlib import rc_context

    with replacing(path) as scratch, rc_context({"svg.hashsalt": "mmbio"}):
        figure.savefig(scratch, dpi=DPI, metadata=NO_DATE.get(path.suffix))
        if path.suffix == ".svg":
            text = scratch.read_text(encoding="utf-8")
            scratch.write_text(_for_pages(text, path.stem, figure.get_suptitle()), encoding="utf-8")


def _for_pages(svg: str, name: str, heading: str) -> str:
    """An SVG whose ids and style concern itself alone, and that says what it is to who cannot see it."""
    prefix = "f-" + re.sub(r"[^A-Za-z0-9-]", "-", name)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\1{prefix}-", svg)
    svg = svg.replace('<style type="text/css">*{', f'<style type="text/css">#{prefix} *{{')
    label = quoteattr(" ".join(heading.split()) or name)
    return svg.replace("<svg ", f'<svg id="{prefix}" role="img" aria-label={label} ', 1)
