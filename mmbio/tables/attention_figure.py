"""The attention figure: mean weight of each modality against the level of a corruption."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from mmbio.files import replacing
from mmbio.tables.figures import AFTER, BEFORE, NO_DATE

# A modality keeps its colour and its marker from figure to figure; the markers tell them apart in grey.
STYLES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {"face": (BEFORE, "o"), "voice": (AFTER, "s"), "ecg": ("#009E73", "^"), "finger": ("#CC79A7", "D")}
)


def weights_by_level(
    levels: Sequence[float] | Sequence[str],
    means: Mapping[str, np.ndarray],
    lows: Mapping[str, np.ndarray],
    highs: Mapping[str, np.ndarray],
    title: str,
    path: Path,
    level_name: str = "corruption level",
) -> None:
    """Draw each modality's mean weights (L,) against L rising levels, with a band from lows (L,) to highs (L,).

    Levels that are texts, such as conditions, stand side by side as they come. A band has a gap where its ends
    are nan; the dotted line is the weight of equals. The suffix of `path` chooses PNG, SVG or PDF; the same
    figures give the same bytes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    named = [str(level) for level in levels] if any(isinstance(level, str) for level in levels) else []
    x = np.arange(len(named), dtype=np.float64) if named else np.asarray(levels, dtype=np.float64)
    _check(x, means, lows, highs)
    figure = Figure(figsize=(5.4, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.axhline(1 / len(means), color="#777777", linewidth=0.7, linestyle=":", zorder=0)
    for modality, mean in means.items():
        colour, marker = STYLES[modality]
        axis.fill_between(x, lows[modality], highs[modality], color=colour, alpha=0.2, linewidth=0)
        axis.plot(x, mean, color=colour, marker=marker, markersize=4, linewidth=0 if named else 1.4, label=modality)
    axis.set_ylim(0, 1)
    if named:
        axis.set_xticks(x, named, fontsize=7)
    axis.set_xlabel(level_name)
    axis.set_ylabel("mean attention weight")
    axis.legend(frameon=False)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    figure.suptitle(title, fontsize=10)
    with replacing(path) as scratch, rc_context({"svg.hashsalt": "mmbio"}):
        figure.savefig(scratch, dpi=200, metadata=NO_DATE.get(path.suffix))


def _check(x: np.ndarray, *figures: Mapping[str, np.ndarray]) -> None:
    if not len(x) or not (np.diff(x) > 0).all():
        raise ValueError(f"expected levels that rise, got {x.tolist()}")
    names = list(figures[0])
    for figure in figures:
        if not names or list(figure) != names or not set(names) <= STYLES.keys():
            raise ValueError(f"expected the same modalities of {', '.join(STYLES)}, got {list(figure)}")
        if any(np.shape(values) != x.shape for values in figure.values()):
            raise ValueError(f"expected {len(x)} values of each modality")
