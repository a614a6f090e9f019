"""DET curve: FNMR against FMR on probit axes, where scores of normal distributions give a straight line."""

from pathlib import Path
from typing import Final

import numpy as np

from mmbio.files import replacing
from mmbio.tables.figures import AFTER, BEFORE, NO_DATE

TICKS: Final = (0.0001, 0.001, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99)


def draw(fmr: np.ndarray, fnmr: np.ndarray, eer: float, title: str, path: Path) -> None:
    """Draw operating points, fmr (K,) and fnmr (K,) as fractions, and the EER on the diagonal.

    Points with a rate of 0 or 1 lie at infinity and are left out. The suffix of `path` chooses PNG, SVG or PDF;
    the same points give the same bytes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from scipy.special import ndtri

    inside = (fmr > 0) & (fmr < 1) & (fnmr > 0) & (fnmr < 1)
    rates = np.concatenate([fmr[inside], fnmr[inside], [0.01, 0.4]])
    ends = ndtri([max(rates.min() / 1.5, 1e-8), min(rates.max() * 1.05, 0.995)])
    ticks = [tick for tick in TICKS if ends[0] <= ndtri(tick) <= ends[1]]
    figure = Figure(figsize=(4.6, 4.6), layout="constrained")
    axis = figure.subplots()
    axis.plot(ends, ends, color="#999999", linewidth=0.7)
    axis.plot(ndtri(fmr[inside]), ndtri(fnmr[inside]), color=BEFORE, linewidth=1.2, marker=".", markersize=2)
    if 0 < eer < 1:
        axis.plot(*[[ndtri(eer)]] * 2, "o", color=AFTER, markersize=5, label=f"EER {100 * eer:.2f} %")
        axis.legend(frameon=False)
    for set_ticks, set_limits in ((axis.set_xticks, axis.set_xlim), (axis.set_yticks, axis.set_ylim)):
        set_ticks(ndtri(ticks), [f"{100 * tick:g}" for tick in ticks])
        set_limits(*ends)
    axis.set_aspect("equal")
    axis.grid(color="#dddddd", linewidth=0.5)
    axis.set_xlabel("false match rate (%)")
    axis.set_ylabel("false non-match rate (%)")
    axis.set_title(title, fontsize=10)
    with replacing(path) as scratch, rc_context({"svg.hashsalt": "mmbio"}):
        figure.savefig(scratch, dpi=200, metadata=NO_DATE.get(path.suffix))
