"""Score histograms: genuine beside impostor, one panel a system or condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.tables.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS: Final = 50


@dataclass(frozen=True, eq=False)
class Panel:
    """One system's scores, genuine (N,) and impostor (M,), the EER as a fraction and its threshold."""

    name: str
    genuine: np.ndarray
    impostor: np.ndarray
    eer: float
    threshold: float


@style.styled
def draw(panels: Sequence[Panel], title: str, path: Path) -> tuple[Path, ...]:
    """Draw histograms in percent of the genuine and of the impostor trials, the EER's threshold as a line.

    `path` as in `style.save`; the same scores give the same bytes.
    """
    figure, axes = style.grid(len(panels), 1.75)
    for panel, axis in zip(panels, axes[:, 0], strict=True):
        _panel(axis, panel)
    for i, axis in enumerate(axes[:, 0]):
        axis.set_xlabel("score")
        axis.set_ylabel("trials (%)" if i % style.across(len(panels)) == 0 else "")
    style.title(figure, title)
    style.legend_below(figure, axes[0, 0])
    return style.save(figure, path)


def _panel(axis: "Axes", panel: Panel) -> None:
    both = np.concatenate([panel.genuine, panel.impostor])
    low, high = float(both.min()), float(both.max())
    edges = np.linspace(low, high, BINS + 1) if low < high else np.linspace(low - 0.5, high + 0.5, BINS + 1)
    kinds = (
        ("impostor", panel.impostor, style.VERMILION, "////", (0, (3, 1))),
        ("genuine", panel.genuine, style.BLUE, None, "-"),
    )
    for name, scores, colour, hatch, dashes in kinds:
        shares = 100 * np.histogram(scores, edges)[0] / len(scores)
        axis.stairs(shares, edges, fill=True, facecolor="none" if hatch else colour, alpha=None if hatch else 0.3,
                    edgecolor=colour, hatch=hatch, linewidth=0)  # fmt: skip
        axis.stairs(shares, edges, color=colour, linewidth=1, linestyle=dashes, label=name)
    axis.axvline(panel.threshold, color="black", linewidth=0.9, linestyle=(0, (1, 1)), label="threshold of the EER")
    axis.set_title(f"{panel.name}, EER {100 * panel.eer:.2f} %" if panel.name else f"EER {100 * panel.eer:.2f} %")
    axis.set_ylim(0, None)
