"""Calibrate the simulated embeddings: how loud their noise is, so that table 1's unimodal EERs are the paper's.

    python benchmarks/calibrate_embeddings.py fit            the noise scales NOISE of data/synthetic/embeddings.py
    python benchmarks/calibrate_embeddings.py check paper    what they give at a scale, with what is not calibrated

Figures are means over ten seeds of cosines on the raw, L2-normalised vectors of the test subjects, 300 genuine pairs
of different videos and 300 impostor pairs a subject. Vectors are linear in the noise scale, so `fit` simulates each
seed twice and keeps three products of each pair: any scale then costs a few divisions, and all share their random
numbers. Only these unimodal EERs are looked at, no fused figure.
"""

import sys
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from mmbio.data import trials
from mmbio.data.synthetic.embeddings import NOISE, SIZES, Simulation, Size, simulate
from mmbio.measure import rates
from mmbio.measure.dcf import min_dcf

PAPER = {("face", ""): 8.03, ("voice", "0.115"): 41.27, ("voice", "1.015"): 14.50}  # table 1, EER, percent
SEEDS = range(10)
WIDEST = (0.05, 50.0)  # noise scales between which the one that is sought lies


class Products(NamedTuple):
    """Of the vectors b + s f of a pair: b.b, b.f and f.f, each (T,), across the pair and of each side."""

    across: np.ndarray  # (3, T)
    enrolment: np.ndarray  # (3, T)
    probe: np.ndarray  # (3, T)
    genuine: np.ndarray  # (T,)

    def eer(self, noise: float) -> float:
        """The EER in percent at a noise scale."""
        powers = np.array([1.0, noise, noise**2])
        scores = powers @ self.across / np.sqrt((powers @ self.enrolment) * (powers @ self.probe))
        return 100 * rates.eer(rates.points(scores[self.genuine], scores[~self.genuine]))


def test_part(scale: str, seed: int, noise: float | None = None) -> tuple[Simulation, trials.Trials]:
    """The test subjects' vectors and trials, with the constants' noise or one for all."""
    size = SIZES[scale]
    scales = NOISE if noise is None else {m: dict.fromkeys(of, noise) for m, of in NOISE.items()}
    made = simulate(scale, seed, size=Size(size.n_test, size.n_test_clips, 0, 0), noise=scales)
    videos, clips, genders = (made.samples[c].to_numpy(str) for c in ("video", "clip", "gender"))
    return made, trials.draw(made.samples["subject"].factorize()[0], videos, clips, genders, seed=seed)


def products(seed: int) -> dict[tuple[str, str], Products]:
    """The products of a seed's trials, for each modality and segment length."""
    quiet, drawn = test_part("paper", seed, 0.0)
    loud, _ = test_part("paper", seed, 1.0)
    found = {}
    for modality, segment in PAPER:
        b = quiet.vectors[modality][segment]
        f = loud.vectors[modality][segment] - b
        dot = partial(np.einsum, "nd,nd->n", dtype=np.float64)
        own = np.stack([dot(b, b), 2 * dot(b, f), dot(f, f)])
        i, j = drawn.enrolment, drawn.probe
        across = np.stack([dot(b[i], b[j]), dot(b[i], f[j]) + dot(f[i], b[j]), dot(f[i], f[j])])
        found[modality, segment] = Products(across, own[:, i], own[:, j], drawn.genuine)
    return found


def fit() -> None:
    """Print the noise scale at which the mean EER is the paper's."""
    of_seeds = [products(seed) for seed in SEEDS]
    for key, target in PAPER.items():
        low, high = WIDEST
        for _ in range(30):
            middle = (low * high) ** 0.5
            mean = float(np.mean([found[key].eer(middle) for found in of_seeds]))
            low, high = (middle, high) if mean < target else (low, middle)
        print(f"{' '.join(key)}: noise {middle:.3f} gives {mean:.2f} %, the paper has {target:.2f} %", flush=True)


def figures(scale: str, seed: int) -> Iterator[tuple[str, float]]:
    """The figures of a seed, each with its name: EER, minDCF, and what can be read along the mean vector."""
    made, drawn = test_part(scale, seed)
    for modality, segment in PAPER:
        name = f"{modality} {segment}".strip()
        vectors = made.vectors[modality][segment]
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        scores = np.einsum("nd,nd->n", vectors[drawn.enrolment], vectors[drawn.probe])
        points = rates.points(scores[drawn.genuine], scores[~drawn.genuine])
        yield f"{name}: EER, %", 100 * rates.eer(points)
        yield f"{name}: minDCF, P_target 0.01", min_dcf(points)
        rng = np.random.default_rng([seed, 1])
        null = rng.standard_normal(vectors.shape, np.float32)
        null /= np.linalg.norm(null, axis=1, keepdims=True)
        mean = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))
        along, good = vectors @ mean, made.quality[modality] > np.median(made.quality[modality])
        yield f"{name}: projection on the mean, mean", float(along.mean())
        yield f"{name}: projection on the mean, random nulls, SD", float((null @ mean).std())
        yield f"{name}: projection on the mean, AUC of vectors against random nulls", auc(along, null @ mean)
        yield f"{name}: projection on the mean, AUC of good against bad halves", auc(along[good], along[~good])


def auc(high: np.ndarray, low: np.ndarray) -> float:
    """How often a value of `high` is above one of `low`; ties count half."""
    ordered = np.sort(low)
    return float(np.mean([ordered.searchsorted(high, side) for side in ("left", "right")]) / len(low))


def check(scale: str) -> None:
    """Print the mean and the spread over the seeds of each figure."""
    of_seeds = [dict(figures(scale, seed)) for seed in SEEDS]
    for name in of_seeds[0]:
        values = np.array([found[name] for found in of_seeds])
        print(f"{scale}, {name}: {values.mean():.3f}, SD {values.std(ddof=1):.3f}")


if __name__ == "__main__":
    fit() if sys.argv[1] == "fit" else check(sys.argv[2])
