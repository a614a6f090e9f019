"""Attention analysis: does a modality's weight depend on an attribute (audiovisual paper, section 4.4, table 3)?

A weight is *above* where it exceeds its modality's mean over all samples that are used; one that
equals the mean up to rounding is not. `share` is P(above | A true). The permutation test asks whether
it differs from P(above) among all whose attribute is known. With C = sum of a (above - P(above)) over
these samples, which is n (share - P(above)), C falls apart without rest into one part a level:

    subjects   each subject's share of A, against the subject's share of samples above
    sessions   the same for the sessions of a subject, where sessions are given
    samples    the samples of a subject, or of a session

A permutation swaps the subjects' shares of A between subjects, the sessions' between the sessions of
one subject, and A itself between the samples of one subject or session, each independently of the
others, and p = (1 + number of permutations with |C*| >= |C|) / (1 + number of permutations). For an
attribute that is constant within subjects only the first part is not 0, so subjects' labels are
permuted; where all subjects have the same share of A only the others are, so labels are permuted
within subjects. In both cases p is exact, under the null that subjects (samples of a subject) are
exchangeable; between them it is approximate, and on the safe side where subjects differ much in
size. A hat that stays on for a whole video needs the sessions: frames of one video are no
exchangeable samples of their subject.
"""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

import numpy as np

from mmbio.errors import MmbioError

PERMUTATIONS: Final = 2000
LISTED: Final = 0.60  # "if greater than 60%", of the lower bound
WALD_Z: Final = 1.96  # 95 %
TAIL: Final = 0.025
ROUNDING: Final = 1e-9  # weights are float32 shares, and C a sum of shares
CHUNK: Final = 2_000_000  # random numbers held at once


@dataclass(frozen=True)
class AttentionRow:
    """One attribute and modality; what cannot be told is nan, and `listed` speaks of the attribute."""

    attribute: str
    modality: str
    share: float  # P(weight above its mean | A true)
    n: int  # samples with A true
    n_subjects: int  # subjects with such a sample
    wald_low: float
    wald_high: float
    clustered_low: float
    clustered_high: float
    p: float
    p_holm: float  # over the attributes of this table, each modality for itself
    listed: bool  # the Wald bound of some modality exceeds LISTED
    listed_clustered: bool  # the clustered bound of some modality does


@dataclass(frozen=True)
class Analysis:
    """The rows of one table, attribute by attribute, and what they stand on."""

    rows: tuple[AttentionRow, ...]
    n: int  # samples used
    n_nan: int  # left out: a weight is NaN
    n_masked: int  # left out: a modality was told to be missing
    means: Mapping[str, float]  # each modality's mean weight
    above: Mapping[str, float]  # P(weight above its mean) of all samples used


COLUMNS = tuple(f.name for f in fields(AttentionRow))


def analyse(
    weights: np.ndarray,
    modalities: Sequence[str],
    subjects: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    *,
    present: np.ndarray | None = None,
    sessions: np.ndarray | None = None,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> Analysis:
    """One table: every attribute with every modality, in the order given.

    weights (N, M); modalities M names; subjects (N,) and sessions (N,) int or text, sessions named
    within their subject; attributes (N,) each of 1, 0 or nan for not known; present (N, M) bool.
    Each attribute sees the same random numbers, so its p does not depend on the others. p is nan
    where nobody, or everybody, has the attribute; such attributes do not count for Holm.
    """
    columns = {name: np.asarray(a, dtype=np.float64) for name, a in attributes.items()}
    _check(weights, modalities, subjects, columns, present, sessions)
    nan = np.isnan(weights).any(1)
    masked = np.zeros(len(nan), bool) if present is None else ~present.astype(bool).all(1) & ~nan
    used = ~nan & ~masked
    if not used.any():
        raise MmbioError(
            f"attention: none of the {len(nan)} test samples has a weight for each of {', '.join(modalities)};"
            " analyse a condition in which no modality is missing"
        )
    alpha = weights[used].astype(np.float64)
    above = alpha > alpha.mean(0) + ROUNDING
    subject, columns = _index(subjects[used]), {name: a[used] for name, a in columns.items()}
    session = None if sessions is None else sessions[used]
    p = np.full((len(columns), len(modalities)), np.nan)
    for i, a in enumerate(columns.values() if permutations else ()):  # none asked for: p stays not known
        p[i] = permutation_p(above, a, subject, session, seed=seed, permutations=permutations)
    rows = [row for i, (name, a) in enumerate(columns.items()) for row in _rows(name, modalities, above, subject, a)]
    tests = zip(p.ravel().tolist(), np.stack([holm_adjusted(c) for c in p.T], axis=1).ravel().tolist(), strict=True)
    return Analysis(
        tuple(replace(row, p=one, p_holm=holm) for row, (one, holm) in zip(rows, tests, strict=True)),
        len(alpha),
        int(nan.sum()),
        int(masked.sum()),
        dict(zip(modalities, alpha.mean(0).tolist(), strict=True)),
        dict(zip(modalities, above.mean(0).tolist(), strict=True)),
    )


def wald(share: float, n: int) -> tuple[float, float]:
    """The paper's 95 % interval, share -+ 1.96 sqrt(share (1 - share) / n); it may leave [0, 1]; nan at n = 0."""
    half = WALD_Z * math.sqrt(share * (1 - share) / n) if n else math.nan
    return share - half, share + half


def clustered(above: np.ndarray, subjects: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of a mean of decisions (n,) bool, several a subject (n,): cluster-robust, cut to [0, 1].

    The mean is a ratio of two sums over subjects; its standard error is the linearised one,
    sqrt(S / (S - 1) sum of squared residual sums of subjects) / n, with t on S - 1 degrees of freedom.
    S is the effective number of subjects, n^2 / sum of n_s^2: their number where all have equally many
    decisions, and not much more than 8 where 8 bald subjects have nearly all and 30 a stray one each.
    It is preferred to a bootstrap of subjects because attributes such as Bald have few, and of five
    subjects percentiles are too narrow, which t makes up for. A few subjects can agree by luck: the
    standard error is not taken below the binomial one, and where all decisions are the same, so that
    both are 0, the exact interval of S decisions stands in. One subject tells nothing: nan.
    """
    n, sizes = len(above), np.bincount(_index(subjects))
    if len(sizes) < 2:
        return math.nan, math.nan
    effective, share = n**2 / float(sizes @ sizes), float(above.mean())
    if share in (0.0, 1.0):
        end = TAIL ** (1 / effective)
        return (0.0, 1 - end) if share == 0.0 else (end, 1.0)
    from scipy.special import stdtrit

    residuals = np.bincount(_index(subjects), weights=above - share)
    error = math.sqrt(effective / (effective - 1) * float(residuals @ residuals)) / n
    half = float(stdtrit(effective - 1, 1 - TAIL)) * max(error, math.sqrt(share * (1 - share) / n))
    return max(0.0, share - half), min(1.0, share + half)


def permutation_p(
    above: np.ndarray,
    a: np.ndarray,
    subjects: np.ndarray,
    sessions: np.ndarray | None = None,
    *,
    seed: int = 0,
    permutations: int = PERMUTATIONS,
) -> np.ndarray:
    """p values (M,) of `above` (N, M) bool against the attribute a (N,) of 1, 0 or nan; see the module.

    All modalities see the same permutations, so that two complementary ones get the same p.
    """
    known = ~np.isnan(a)
    a, above = a[known], above[known]
    if not 0 < a.sum() < len(a):
        return np.full(above.shape[1], np.nan)
    subject = _index(subjects[known])
    observed = a @ (above - above.mean(0))
    null = _swapped(a, above, subject, np.zeros_like(subject), np.random.default_rng([seed, 0]), permutations)
    groups = subject
    if sessions is not None:
        groups = _index(subject * len(known) + _index(sessions[known]))
        null += _swapped(a, above, groups, subject, np.random.default_rng([seed, 1]), permutations)
    null += _shuffled(a, above, groups, np.random.default_rng([seed, 2]), permutations)
    as_far = (np.abs(null) >= np.abs(observed) - ROUNDING).sum(0)
    p: np.ndarray = (1 + as_far) / (1 + permutations)
    return p


def holm_adjusted(p: np.ndarray) -> np.ndarray:
    """Holm's step-down p values (K,) of p values (K,); nan stays nan and does not count."""
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: int((~np.isnan(p)).sum())]  # nan sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(steps))
    return adjusted


def to_csv(rows: Sequence[AttentionRow]) -> str:
    """Rows as CSV text with a header; nan is empty, listed is true or false."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {name: str(value).lower() if isinstance(value, bool) else value for name, value in asdict(row).items()}
        writer.writerow({name: "" if value != value else value for name, value in cells.items()})  # noqa: PLR0124
    return out.getvalue()


def _rows(
    name: str, modalities: Sequence[str], above: np.ndarray, subject: np.ndarray, a: np.ndarray
) -> list[AttentionRow]:
    """An attribute's rows, without their p values."""
    true = a == 1
    n, n_subjects = int(true.sum()), len(np.unique(subject[true]))
    shares = [float(z[true].mean()) if n else math.nan for z in above.T]
    walds = [wald(share, n) for share in shares]
    clusters = [clustered(z[true], subject[true]) for z in above.T]
    listed = any(low > LISTED for low, _ in walds), any(low > LISTED for low, _ in clusters)
    return [
        AttentionRow(name, modality, share, n, n_subjects, *walds[m], *clusters[m], math.nan, math.nan, *listed)
        for m, (modality, share) in enumerate(zip(modalities, shares, strict=True))
    ]


def _swapped(
    a: np.ndarray, above: np.ndarray, group: np.ndarray, parent: np.ndarray, rng: np.random.Generator, draws: int
) -> np.ndarray:
    """The part of C between groups, (draws, M), with groups' shares of A permuted among those of one parent."""
    sizes = np.bincount(group)
    owner = np.zeros(len(sizes), np.int64)
    owner[group] = parent
    shares = np.bincount(group, weights=a) / sizes
    pull = _sums(above, group) - sizes[:, None] * (_sums(above, parent) / np.bincount(parent)[:, None])[owner]
    low, high = np.full(len(sizes), np.inf), np.full(len(sizes), -np.inf)
    np.minimum.at(low, owner, shares)
    np.maximum.at(high, owner, shares)
    kept = np.flatnonzero((low < high)[owner])  # where all shares are equal the part is 0 whatever is swapped
    kept = kept[np.argsort(owner[kept], kind="stable")]
    owner, shares, pull = owner[kept], shares[kept], pull[kept]
    null = np.zeros((draws, above.shape[1]))
    for part in _chunks(draws, len(kept)):
        keys = owner + rng.random((part.stop - part.start, len(kept)))
        null[part] = shares[np.argsort(keys, axis=1)] @ pull
    return null


def _shuffled(a: np.ndarray, above: np.ndarray, group: np.ndarray, rng: np.random.Generator, draws: int) -> np.ndarray:
    """The part of C inside groups, (draws, M), with A permuted among the samples of each group.

    Of a group only the number of samples with A matters that fall on each pattern of `above`, which is
    hypergeometric, one pattern after the other.
    """
    patterns, code = np.unique(above, axis=0, return_inverse=True)
    counts = np.stack(
        [np.bincount(group[code.ravel() == j], minlength=group.max() + 1) for j in range(len(patterns))], 1
    )
    sizes, true = counts.sum(1), np.bincount(group, weights=a).astype(np.int64)
    mixed = (true > 0) & (true < sizes) & (counts.max(1) < sizes)  # elsewhere the part is 0 whatever is permuted
    counts, sizes, true = counts[mixed], sizes[mixed], true[mixed]
    expected = (true / sizes) @ (counts @ patterns)  # (M,)
    null = np.zeros((draws, above.shape[1]))
    for part in _chunks(draws, len(sizes)):
        todo, rest = np.broadcast_to(true, (part.stop - part.start, len(true))), sizes
        for pattern, count in zip(patterns, counts.T, strict=True):
            hits = rng.hypergeometric(count, rest - count, todo)
            todo, rest = todo - hits, rest - count
            null[part] += hits.sum(1)[:, None] * pattern
    null -= expected
    return null


def _sums(above: np.ndarray, group: np.ndarray) -> np.ndarray:
    return np.stack([np.bincount(group, weights=z) for z in above.T], axis=1)


def _chunks(draws: int, width: int) -> list[slice]:
    step = max(1, CHUNK // max(1, width))
    return [slice(start, min(start + step, draws)) for start in range(0, draws, step)] if width else []


def _index(names: np.ndarray) -> np.ndarray:
    """Numbers 0, 1, ... (N,) for names (N,)."""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _check(
    weights: np.ndarray,
    modalities: Sequence[str],
    subjects: np.ndarray,
    columns: Mapping[str, np.ndarray],
    present: np.ndarray | None,
    sessions: np.ndarray | None,
) -> None:
    shape = (len(weights), len(modalities))
    if weights.shape != shape or (present is not None and present.shape != shape):
        raise ValueError(f"expected weights and present of shape {shape}, got {weights.shape}")
    for name, column in (("subjects", subjects), ("sessions", sessions), *columns.items()):
        if column is not None and column.shape != shape[:1]:
            raise ValueError(f"{name}: expected {shape[0]} values, got the shape {column.shape}")
    for name, column in columns.items():
        if not np.isin(column[~np.isnan(column)], (0, 1)).all():
            raise ValueError(f"{name}: expected 1, 0 or nan")
