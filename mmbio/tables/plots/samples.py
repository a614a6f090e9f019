"""Samples before and after noise (the multitask paper's figures 2 to 4)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mmbio.tables.plots import style


@style.styled
def before_after(before: Sequence[np.ndarray], after: Sequence[np.ndarray], title: str, path: Path) -> tuple[Path, ...]:
    """Draw samples in two rows, clean above noisy: beats (3, 300) as curves, images (H, W, 3) as images.

    `path` as in `style.save`; the same samples give the same bytes.
    """
    from matplotlib.figure import Figure

    n = len(before)
    figure = Figure(figsize=(1.6 * n + 0.6, 3.8), layout="constrained")
    axes = figure.subplots(2, n, squeeze=False)
    rows = (("before", before, style.BLUE), ("after", after, style.VERMILION))
    for row, (name, samples, colour) in enumerate(rows):
        for axis, sample in zip(axes[row], samples, strict=True):
            axis.spines[["top", "right"]].set_visible(True)
            if sample.ndim == 3:
                axis.imshow(sample, interpolation="none")  # an SVG then holds the pixels as they are
            else:
                axis.plot(sample.T, color=colour, linewidth=0.7)
                axis.set_ylim(-0.5, 1.5)
            axis.set_xticks([])
            axis.set_yticks([])
        axes[row][0].set_ylabel(name)
    style.title(figure, title)
    return style.save(figure, path)
