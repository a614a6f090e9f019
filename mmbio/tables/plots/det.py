"""DET curves: FNMR against FMR on probit axes, where scores of normal distributions give straight lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.tables.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS: Final = (0.0001, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.98)
LEAST, MOST = 0.0001, 0.98  # rates beyond are never in view


@dataclass(frozen=True, eq=False)
class Curve:
    """One system: operating points fmr (K,), fnmr (K,) and the EER, as fractions.

    A confidence band is FNMR from low (G,) to high (G,) at the false match rates grid (G,).
    """

    name: str
    fmr: np.ndarray
    fnmr: np.ndarray
    eer: float
    band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # grid, low, high


@style.styled
def draw(curves: Sequence[Curve], title: str, path: Path) -> tuple[Path, ...]:
    """Draw DET curves, each with a dot at its EER and, where there are at most N_BANDS curves, its band.

    Points with a rate of 0 or 1 lie at infinity and are left out. `path` as in `style.save`; the same
    points give the same bytes.
    """
    from matplotlib.figure import Figure

    rows = style.legend_shape([_label(curve) for curve in curves], style.COLUMN)[1]
    figure = Figure(figsize=(style.COLUMN, style.COLUMN + 0.1 + 0.17 * rows), layout="constrained")
    axis = figure.subplots()
    ends = view([curve.eer for curve in curves])
    _axes(axis, ends)
    for i, curve in enumerate(curves):
        if curve.band and len(curves) <= style.N_BANDS:
            _band(axis, curve.band, i)
    for i, curve in enumerate(curves):
        _curve(axis, curve, i)
    style.title(figure, title)
    style.legend_below(figure, axis)
    return style.save(figure, path)


def view(eers: Sequence[float]) -> tuple[float, float]:
    """The rates between which curves are shown: a twentieth of the least EER to four times the greatest."""
    inside = [eer for eer in eers if 0 < eer < 1] or [0.01]
    return min(max(min(inside) / 20, LEAST), 0.01), max(min(4 * max(inside), MOST), 0.4)


def grid(eers: Sequence[float], n: int = 60) -> np.ndarray:
    """False match rates (n,) equally far apart in view, for bands."""
    from scipy.special import ndtr, ndtri

    low, high = ndtri(view(eers))
    return np.asarray(ndtr(np.linspace(low, high, n)))


def _axes(axis: "Axes", ends: tuple[float, float]) -> None:
    from scipy.special import ndtri

    ticks = [tick for tick in TICKS if ends[0] <= tick <= ends[1]]
    axis.plot(ndtri(ends), ndtri(ends), color=style.GREY, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
    for set_ticks, set_limits in ((axis.set_xticks, axis.set_xlim), (axis.set_yticks, axis.set_ylim)):
        set_ticks(ndtri(ticks), [f"{100 * tick:g}" for tick in ticks])
        set_limits(*ndtri(ends))
    axis.set_aspect("equal")
    axis.grid()
    axis.set_axisbelow(True)
    axis.set_xlabel("false match rate (%)")
    axis.set_ylabel("false non-match rate (%)")


def _curve(axis: "Axes", curve: Curve, index: int) -> None:
    from scipy.special import ndtri

    look = style.of_line(index)
    inside = (curve.fmr > 0) & (curve.fmr < 1) & (curve.fnmr > 0) & (curve.fnmr < 1)
    axis.plot(ndtri(curve.fmr[inside]), ndtri(curve.fnmr[inside]), **look | {"marker": ""}, zorder=3)
    at = ndtri([curve.eer]) if 0 < curve.eer < 1 else []
    axis.plot(at, at, color=look["color"], marker=look["marker"], markeredgecolor="white", markeredgewidth=0.5,
              markersize=6, linestyle="", zorder=4)  # fmt: skip
    axis.plot([], [], **look, label=_label(curve))


def _label(curve: Curve) -> str:
    return f"{curve.name}, EER {100 * curve.eer:.2f} %" if curve.name else f"EER {100 * curve.eer:.2f} %"


def _band(axis: "Axes", band: tuple[np.ndarray, np.ndarray, np.ndarray], index: int) -> None:
    from scipy.special import ndtri

    look = style.of_line(index)
    grid, low, high = (np.clip(rates, 1e-9, 1 - 1e-9) for rates in band)
    axis.fill_between(ndtri(grid), ndtri(low), ndtri(high), color=look["color"], alpha=0.13, linewidth=0, zorder=2)
    for edge in (low, high):
        axis.plot(ndtri(grid), ndtri(edge), color=look["color"], linestyle=look["linestyle"], linewidth=0.4, zorder=2)
