"""Calibrate the synthetic sets: how far subjects lie apart, so that table 1's unimodal rows come near the paper's.

    python benchmarks/calibrate_synthetic.py ecg 0.5 0.7 0.9

prints, for each spread, the identification accuracy of the unimodal network under the paper's noise (all folds,
the mean over several pairing seeds), that of gender, which is only looked at, and the spread at which a straight
line between the two nearest points meets the paper's figure for identification. That number is IDENTITY_SPREAD in
mmbio/data/synthetic/<modality>.py. Only unimodal rows are calibrated; no fused figure is looked at.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mmbio.conditions import of_levels
from mmbio.data.plan import Plan
from mmbio.data.sources import resolve
from mmbio.data.synthetic.root import SPREADS, generate
from mmbio.data.virtual import build
from mmbio.embed.settings import Settings
from mmbio.fuse.config import Config
from mmbio.fuse.run import train
from mmbio.measure.evaluate import Evaluator
from mmbio.protocols import MULTITASK

PAPER = {"ecg": 77.49, "face": 76.44, "finger": 83.91}  # table 1, identification, percent
SEEDS = range(3)


def accuracies(modality: str, spread: float, home: Path) -> dict[str, list[float]]:
    """Task -> accuracy in percent, one for each pairing seed, of the single-task unimodal network under noise."""
    root = home / f"root-{spread}"
    generate(root, spreads={**SPREADS, modality: spread})
    condition = of_levels({modality: MULTITASK.noise[modality]})
    found: dict[str, list[float]] = {task: [] for task in MULTITASK.tasks}
    for seed in SEEDS:
        manifest = build(resolve(MULTITASK, str(root), {}, home), Plan(MULTITASK, seed=seed), home)
        settings = Settings(home, "random")
        for task in MULTITASK.tasks:
            config = Config("multitask", "concat", (modality,), (task,), condition, seed=seed)
            evaluation = Evaluator(manifest, train(manifest, config, settings), condition, settings).run()
            (mean,) = [f.value for f in evaluation.figures if (f.metric, f.fold) == ("accuracy", "mean")]
            found[task].append(100 * mean)
    return found


def main(modality: str, *spreads: str) -> None:
    """Print the curve and where it meets the paper's figure."""
    target, means = PAPER[modality], []
    with TemporaryDirectory() as scratch:
        for spread in spreads:
            found = accuracies(modality, float(spread), Path(scratch))
            means.append(float(np.mean(found["identification"])))
            for task, values in found.items():
                seeds = np.round(values, 1).tolist()
                print(f"{modality} spread {spread}, {task}: {np.mean(values):.2f} %  seeds {seeds}", flush=True)
    order = np.argsort(means)
    meets = np.interp(target, np.array(means)[order], np.array([float(s) for s in spreads])[order])
    print(f"{modality}: the paper's {target} % is met at spread {meets:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
