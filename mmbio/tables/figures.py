"""Figures: samples before and after noise (the multitask paper's figures 2 to 4)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from mmbio.files import replacing

NO_DATE: Final = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
BEFORE, AFTER = "#0072B2", "#D55E00"  # told apart by every kind of colour vision


def before_after(before: Sequence[np.ndarray], after: Sequence[np.ndarray], title: str, path: Path) -> None:
    """Draw samples in two rows, clean above noisy: beats (3, 300) as curves, images (H, W, 3) as images.

    The suffix of `path` chooses PNG, SVG or PDF; the same samples give the same bytes.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    n = len(before)
    figure = Figure(figsize=(1.6 * n + 0.6, 3.8), layout="constrained")
    axes = figure.subplots(2, n, squeeze=False)
    for row, (name, samples, colour) in enumerate((("before", before, BEFORE), ("after", after, AFTER))):
        for axis, sample in zip(axes[row], samples, strict=True):
            if sample.ndim == 3:
                axis.imshow(sample)
            else:
                axis.plot(sample.T, color=colour, linewidth=0.7)
                axis.set_ylim(-0.5, 1.5)
            axis.set_xticks([])
            axis.set_yticks([])
        axes[row][0].set_ylabel(name)
    figure.suptitle(title, fontsize=10)
    with replacing(path) as scratch, rc_context({"svg.hashsalt": "mmbio"}):
        figure.savefig(scratch, dpi=200, metadata=NO_DATE.get(path.suffix))
