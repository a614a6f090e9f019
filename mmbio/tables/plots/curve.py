"""Robustness: a figure with its interval against a level or condition, and the area under each curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mmbio.tables.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BESIDE: Final = 2.2  # points of print from line to line


@dataclass(frozen=True, eq=False)
class Line:
    """One system: y (L,) at rising levels x (L,), or at texts; its interval from low (L,) to high (L,), or nan."""

    name: str
    x: Sequence[float] | Sequence[str]
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray


@style.styled
def draw(
    lines: Sequence[Line], title: str, path: Path, x_label: str, y_label: str, better: str = ""
) -> tuple[Path, ...]:
    """Draw lines against levels at their true distances, or points against conditions that are texts.

    The legend gives the area under each line as `area` defines it, where the lines share their first and last
    level; `better` says which areas are, "higher" or "lower". `path` as in `style.save`; the same figures give the
    same bytes.
    """
    from matplotlib.figure import Figure

    _check(lines)
    named = isinstance(lines[0].x[0], str)
    areas = [None] * len(lines) if named else comparable_areas(lines)
    labels = [_label(line, found) for line, found in zip(lines, areas, strict=True)]
    rows = style.legend_shape(labels, style.COLUMN)[1]
    figure = Figure(figsize=(style.COLUMN, 2.6 + 0.17 * rows), layout="constrained")
    axis = figure.subplots()
    for i, (line, label) in enumerate(zip(lines, labels, strict=True)):
        if named:
            _points(axis, line, lines, i, label)
        else:
            _line(axis, line, i - (len(lines) - 1) / 2, style.of_line(i), label)
    if not named:
        levels = np.concatenate([np.asarray(line.x, dtype=np.float64) for line in lines])
        room = 0.06 * (levels.max() - levels.min()) or 0.5
        axis.set_xlim(levels.min() - room, levels.max() + room)
    _limits(axis, lines)
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)
    axis.grid(axis="y")
    style.title(figure, title)
    if any(labels):
        style.legend_below(figure, axis, _heading(better) if areas[0] is not None else "")
    return style.save(figure, path)


def area(x: np.ndarray, y: np.ndarray) -> float:
    """The area under y (L,) by trapezoids, over the width of x (L,): a mean height, in y's unit.

    Levels lie as far apart as they are: close ones weigh less than lone ones.
    """
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum() / (x[-1] - x[0]))


def comparable_areas(lines: Sequence[Line]) -> list[float | None]:
    """Each line's area, None of all where there is one level or lines reach from and to different ones."""
    ends = {(float(line.x[0]), float(line.x[-1])) for line in lines}
    if len(ends) > 1 or len(lines[0].x) < 2:
        return [None] * len(lines)
    return [area(np.asarray(line.x, dtype=np.float64), line.y) for line in lines]


def _label(line: Line, found: float | None) -> str:
    return line.name if found is None else f"{line.name or 'mean'} ({found:.1f})"


def _heading(better: str) -> str:
    which = f"; {better} is better" if better else ""
    return f"in brackets: area under the curve by the width\nof the axis{which}"


def _line(axis: "Axes", line: Line, place: float, look: dict[str, Any], label: str) -> None:
    """A line with bars; lines stand beside each other by a few points of print, so that their bars are seen."""
    from matplotlib.transforms import ScaledTranslation

    inches = ScaledTranslation(place * BESIDE / 72, 0, axis.figure.dpi_scale_trans)
    x = np.asarray(line.x, dtype=np.float64)
    axis.vlines(x, line.low, line.high, color=look["color"], linewidth=0.9, zorder=2, transform=axis.transData + inches)
    axis.plot(x, line.y, **look, label=label, zorder=3, transform=axis.transData + inches)


def _points(axis: "Axes", line: Line, lines: Sequence[Line], index: int, label: str) -> None:
    """Points beside each other at each condition, in the order in which conditions first come."""
    look = style.of_line(index)
    names = list(dict.fromkeys(text for one in lines for text in one.x))
    x = np.array([names.index(str(text)) for text in line.x]) + (index - (len(lines) - 1) / 2) * 0.6 / len(lines)
    axis.vlines(x, line.low, line.high, color=look["color"], linewidth=1, zorder=2)
    axis.plot(x, line.y, **look | {"linestyle": ""}, label=label, zorder=3)
    axis.set_xticks(range(len(names)), [style.folded(str(name)) for name in names])
    axis.set_xlim(-0.5, len(names) - 0.5)


def _limits(axis: "Axes", lines: Sequence[Line]) -> None:
    """From 0, or, where all is in the upper half of a hundred, from the ten below."""
    ends = np.concatenate([[*line.y, *line.low, *line.high] for line in lines])
    least, most = float(np.nanmin(ends)), float(np.nanmax(ends))
    bottom = 10 * np.floor((least - 1) / 10) if 50 < least <= most <= 100 else min(0.0, least)
    axis.set_ylim(bottom, 100 + (100 - bottom) / 50 if 90 < most <= 100 else most + (most - bottom) / 20 or 1.0)


def _check(lines: Sequence[Line]) -> None:
    if not lines:
        raise ValueError("expected at least one line")
    for line in lines:
        x = line.x
        texts = [isinstance(value, str) for value in x]
        rising = all(texts) or (not any(texts) and bool((np.diff(np.asarray(x, dtype=np.float64)) > 0).all()))
        if not len(x) or not rising or all(texts) != isinstance(lines[0].x[0], str) or len(set(x)) < len(x):
            raise ValueError(f"expected levels that rise, or texts that differ, got {list(x)}")
        if any(np.shape(values) != (len(x),) for values in (line.y, line.low, line.high)):
            raise ValueError(f"expected {len(x)} values of each line")
