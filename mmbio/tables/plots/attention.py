"""The attention figure: mean weight of each modality against the level of a corruption, or a condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from mmbio.tables.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A modality keeps its look from figure to figure; markers and dashes tell them apart in grey.
MODALITIES: Final = ("face", "voice", "ecg", "finger")
STYLES: Final[Mapping[str, dict[str, Any]]] = MappingProxyType({m: style.of_line(i) for i, m in enumerate(MODALITIES)})


@dataclass(frozen=True, eq=False)
class Panel:
    """Each modality's mean weight (L,) at L rising levels or at texts, and its interval's ends (L,), nan for none."""

    name: str
    levels: Sequence[float] | Sequence[str]
    means: Mapping[str, np.ndarray]
    lows: Mapping[str, np.ndarray]
    highs: Mapping[str, np.ndarray]


def weights_by_level(
    levels: Sequence[float] | Sequence[str],
    means: Mapping[str, np.ndarray],
    lows: Mapping[str, np.ndarray],
    highs: Mapping[str, np.ndarray],
    title: str,
    path: Path,
    level_name: str = "corruption level",
) -> tuple[Path, ...]:
    """Draw one panel; the rest as `draw`."""
    return draw([Panel("", levels, means, lows, highs)], title, path, level_name)


@style.styled
def draw(panels: Sequence[Panel], title: str, path: Path, level_name: str = "corruption level") -> tuple[Path, ...]:
    """Draw panels of mean weights with their intervals.

    Levels that are texts, such as conditions, stand side by side as they come. The dotted line is the weight of
    equals. `path` as in `style.save`; the same figures give the same bytes.
    """
    for panel in panels:
        _check(panel)
    figure, axes = style.grid(len(panels), 2.2)
    for panel, axis in zip(panels, axes[:, 0], strict=True):
        _panel(axis, panel)
        axis.set_xlabel(level_name)
    axes[0, 0].set_ylabel("mean attention weight")
    style.title(figure, title)
    style.legend_below(figure, axes[0, 0])
    return style.save(figure, path)


def _panel(axis: "Axes", panel: Panel) -> None:
    named = _are_texts(panel.levels)
    at = np.arange(len(panel.levels), dtype=np.float64) if named else np.asarray(panel.levels, dtype=np.float64)
    axis.axhline(1 / len(panel.means), color=style.GREY, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
    for i, (modality, mean) in enumerate(panel.means.items()):
        look = STYLES[modality]
        if named or len(at) == 1:
            x = at + (i - (len(panel.means) - 1) / 2) * 0.12 if named else at
            axis.vlines(x, panel.lows[modality], panel.highs[modality], color=look["color"], linewidth=1)
            axis.plot(x, mean, **look | {"linestyle": ""}, label=modality)
        else:
            axis.fill_between(
                at, panel.lows[modality], panel.highs[modality], color=look["color"], alpha=0.2, linewidth=0
            )
            axis.plot(at, mean, **look, label=modality, clip_on=False)
    axis.set_ylim(0, 1)
    if named:
        axis.set_xticks(at, [style.folded(str(level)) for level in panel.levels])
        axis.set_xlim(-0.5, len(at) - 0.5)
    axis.set_title(panel.name)


def _are_texts(levels: Sequence[float] | Sequence[str]) -> bool:
    return any(isinstance(level, str) for level in levels)


def _check(panel: Panel) -> None:
    named = _are_texts(panel.levels)
    x = np.arange(len(panel.levels)) if named else np.asarray(panel.levels, dtype=np.float64)
    if not len(x) or not (np.diff(x) > 0).all():
        raise ValueError(f"expected levels that rise, got {x.tolist()}")
    names = list(panel.means)
    for figure in (panel.means, panel.lows, panel.highs):
        if not names or list(figure) != names or not set(names) <= STYLES.keys():
            raise ValueError(f"expected the same modalities of {', '.join(STYLES)}, got {list(figure)}")
        if any(np.shape(values) != x.shape for values in figure.values()):
            raise ValueError(f"expected {len(x)} values of each modality")
