"""Calibrate the synthetic sets: how far subjects lie apart, so that table 1's unimodal rows come near the paper's.

    python benchmarks/calibrate_synthetic.py ecg 0.5 0.7 0.9

prints, for each spread, the identification accuracy of the unimodal network under the paper's noise (all folds,
the mean over several pairing seeds) and the spread at which a straight line between the two nearest points meets the
paper's figure. That number is IDENTITY_SPREAD in mmbio/data/synthetic/<modality>.py. Only unimodal rows are
calibrated; no fused figure is looked at.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mmbio.conditions import of_levels
from mmbio.data.sources import resolve
from mmbio.data.synthetic.root import SPREADS, generate
from mmbio.data.virtual import Plan, build
from mmbio.embed.settings import Settings
from mmbio.fuse.config import Config
from mmbio.fuse.run import train
from mmbio.measure.evaluate import Evaluator
from mmbio.protocols import MULTITASK

PAPER = {"ecg": 77.49, "face": 76.44, "finger": 83.91}  # table 1, identification, percent
SEEDS = range(3)


def accuracy(modality: str, spread: float, home: Path) -> list[float]:
    """Identification accuracy in percent, one for each pairing seed, of the unimodal network under noise."""
    root = home / f"root-{spread}"
    generate(root, spreads={**SPREADS, modality: spread})
    condition = of_levels({modality: MULTITASK.noise[modality]})
    found = []
    for seed in SEEDS:
        manifest = build(resolve(MULTITASK.modalities, str(root), {}, home), Plan(MULTITASK, seed=seed), home)
        config = Config("multitask", "concat", (modality,), ("identification",), condition, seed=seed)
        settings = Settings(home, "random")
        evaluation = Evaluator(manifest, train(manifest, config, settings), condition, settings).run()
        found.append(100 * evaluation.accuracies["identification"].value)
    return found


def main(modality: str, *spreads: str) -> None:
    """Print the curve and where it meets the paper's figure."""
    target, means = PAPER[modality], []
    with TemporaryDirectory() as scratch:
        for spread in spreads:
            found = accuracy(modality, float(spread), Path(scratch))
            means.append(float(np.mean(found)))
            print(f"{modality} spread {spread}: {means[-1]:.2f} %  seeds {np.round(found, 1).tolist()}", flush=True)
    order = np.argsort(means)
    meets = np.interp(target, np.array(means)[order], np.array([float(s) for s in spreads])[order])
    print(f"{modality}: the paper's {target} % is met at spread {meets:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
