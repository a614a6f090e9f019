"""How long does a user wait for `mmbio --help`, and for the figures of 71,790 scores?

    python -m benchmarks.startup

Whole processes, from the call to the exit. The peer of the help is a Python that does nothing; the peer of `mmbio
metrics` is the script that one writes with pandas and scikit-learn.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.harness import Measurement, Side, main

N_SCORES: Final = 71_790  # trials of the audio-visual paper
MMBIO: Final = "from mmbio.cli.main import main; main()"  # what the installed script does
SCRIPT: Final = """
import sys

import numpy as np
import pandas as pd
from sklearn.metrics import roc_curve

table = pd.read_csv(sys.argv[1])
fmr, tmr, _ = roc_curve(table["genuine"], table["score"])
fnmr = 1 - tmr
k = np.argmin(np.abs(fnmr - fmr))
print("EER", (fnmr[k] + fmr[k]) / 2, "minDCF", np.min(0.01 * fnmr + 0.99 * fmr) / 0.01)
"""


def measurements() -> Iterator[Measurement]:
    """The help, and the metrics of a file of scores."""
    yield Measurement(
        what="`mmbio --help`",
        unit="runs",
        ours=Side("mmbio", _process("-c", MMBIO, "--help"), 1),
        peers=[Side("python -c pass", _process("-c", "pass"), 1)],
        aim_s=0.25,
        note="whole process",
    )
    with tempfile.TemporaryDirectory() as folder:
        scores = _scores(Path(folder) / "scores.csv")
        yield Measurement(
            what=f"`mmbio metrics` of {N_SCORES:,} scores in CSV",
            unit="runs",
            ours=Side("mmbio", _process("-c", MMBIO, "metrics", str(scores)), 1),
            peers=[Side("pandas + scikit-learn script", _process("-c", SCRIPT, str(scores)), 1)],
            aim_s=1.0,
            note="whole process",
        )


def _process(*arguments: str) -> Callable[[], None]:
    def run() -> None:
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)  # noqa: S603

    return run


def _scores(path: Path) -> Path:
    """Normal scores, half of them genuine, as a CSV with every digit."""
    rng = np.random.default_rng(0)
    genuine = np.arange(N_SCORES) % 2
    scores = rng.normal(2.0 * genuine)
    lines = (f"{score!r},{label}\n" for score, label in zip(scores.tolist(), genuine.tolist(), strict=True))
    path.write_text("score,genuine\n" + "".join(lines), encoding="utf-8")
    return path


if __name__ == "__main__":
    main(measurements)
