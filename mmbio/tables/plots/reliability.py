"""Reliability diagrams: how often decisions are right against how sure the system was."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.tables.plots import style
from mmbio.tables.plots.bins import Bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COUNTED: Final = 20  # bars of the histogram of confidences


@dataclass(frozen=True, eq=False)
class Panel:
    """One system: its bins, and the confidences (N,) in [0, 1] that were binned."""

    name: str
    bins: Bins
    confidence: np.ndarray


@style.styled
def draw(panels: Sequence[Panel], title: str, path: Path, x_label: str, y_label: str) -> tuple[Path, ...]:
    """Draw a diagram of each system above a histogram of its confidences; on the dotted diagonal it is calibrated.

    `path` as in `style.save`; the same decisions give the same bytes.
    """
    figure, axes = style.grid(len(panels), 3.0, rows=2)
    for i, (panel, (axis, counts)) in enumerate(zip(panels, axes, strict=True)):
        _diagram(axis, panel, i)
        _counts(counts, panel)
    for i in range(0, len(panels), style.across(len(panels))):
        axes[i, 0].set_ylabel(y_label)
        axes[i, 1].set_ylabel("share (%)")
    figure.supxlabel(x_label, fontsize=7.5)
    style.title(figure, title)
    return style.save(figure, path)


def _diagram(axis: "Axes", panel: Panel, index: int) -> None:
    look, bins = style.of_line(index), panel.bins
    axis.plot([0, 1], [0, 1], color=style.GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)
    axis.vlines(bins.confidence, bins.low, bins.high, color=look["color"], linewidth=1, zorder=2)
    axis.plot(bins.confidence, bins.share, **look, zorder=3, clip_on=False)
    name = f"{panel.name}\n" if panel.name else ""
    axis.set_title(f"{name}mean distance {100 * bins.gap:.1f} points")
    axis.set_xlim(0, 1)
    axis.set_ylim(0, 1)
    axis.tick_params(labelbottom=False)
    axis.grid()
    axis.set_axisbelow(True)


def _counts(axis: "Axes", panel: Panel) -> None:
    counts, edges = np.histogram(panel.confidence, COUNTED, (0, 1))
    axis.stairs(100 * counts / len(panel.confidence), edges, fill=True, color=style.GREY)
    axis.set_xlim(0, 1)
    axis.set_ylim(0, None)
