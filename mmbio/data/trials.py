"""Trials: pairs of samples drawn for each subject (the audio-visual paper, 4.1).

For each subject up to 300 genuine pairs and 300 impostor pairs, no pair twice within a subject; all of them
where there are no more. Pairs are numbered and numbers drawn, so that no list of all pairs is ever made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np

from mmbio.errors import MmbioError

GENUINE_STREAM, IMPOSTOR_STREAM = 0, 1
# What two samples of one subject must differ in to be a genuine pair.
GENUINE: Final[Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = MappingProxyType(
    {
        "video": lambda videos, _clips: videos,  # "the same speaker from different clips"; our reading: videos
        "clip": lambda videos, clips: videos * (clips.max(initial=0) + 1) + clips,
        "segment": lambda videos, _clips: np.arange(len(videos)),
    }
)


@dataclass(frozen=True)
class Trials:
    """Trials by the rows of their samples, subject after subject: enrolment (T,) and probe (T,) int64, genuine (T,)."""

    enrolment: np.ndarray
    probe: np.ndarray
    genuine: np.ndarray
    n_dropped: int  # subjects without a genuine pair: in no trial, neither as impostors
    n_short: int  # other subjects with fewer genuine pairs than asked for

    def __len__(self) -> int:
        return len(self.genuine)


def draw(
    subjects: np.ndarray,
    videos: np.ndarray,
    clips: np.ndarray,
    genders: np.ndarray,
    n_genuine: int = 300,
    n_impostor: int = 300,
    genuine: str = "video",
    same_gender: bool = False,
    seed: int = 0,
) -> Trials:
    """Draw the trials of samples (N,): subjects int from 0, videos and clips str, genders "F", "M" or "".

    A genuine pair is of two samples of one subject and of different videos; `genuine` relaxes it to different
    "clip"s (a clip's name counts within its video) or any two "segment"s. An impostor pair's enrolment is of the
    subject, its probe of another one, of the same gender where `same_gender` asks for it. Every pair is as likely
    as another, and which side a genuine pair's samples are on is drawn too. A subject's draw depends on the seed,
    the subject's number and its own samples; of impostor pairs also on the others' samples, not on their order.
    Raises MmbioError where fewer than two subjects have a genuine pair, or a gender that matters is not known.
    """
    if genuine not in GENUINE or n_genuine < 1 or n_impostor < 1:
        given = f"{genuine}, {n_genuine} and {n_impostor}"
        raise ValueError(f"expected genuine of {', '.join(GENUINE)}, and counts above 0, got {given}")
    video, clip = (np.unique(names, return_inverse=True)[1].reshape(-1) for names in (videos, clips))
    order = np.lexsort((clip, video, subjects))
    group = GENUINE[genuine](video[order], clip[order])
    bounds = [0, *np.flatnonzero(np.diff(subjects[order])) + 1, len(order)]
    blocks = {int(subjects[order[s]]): (s, e) for s, e in pairwise(bounds) if e > s}
    partners = {subject: _partners(group[s:e]) for subject, (s, e) in blocks.items()}
    kept = [subject for subject, found in partners.items() if found.sum()]
    if len(kept) < 2:
        cure = "" if genuine == "segment" else ", or relax what a genuine pair is with --genuine clip or segment"
        raise MmbioError(
            f"trials: {len(kept)} of {len(blocks)} subjects have a genuine pair of different {genuine}s, and two are"
            f" needed; add samples{cure}"
        )
    pools = _pools(order, [blocks[subject] for subject in kept], genders if same_gender else None)
    pairs = []
    for subject, (pool, first, last) in zip(kept, pools, strict=True):
        own = order[slice(*blocks[subject])]
        pairs.append(own[_genuine(partners[subject], n_genuine, _rng(seed, subject, GENUINE_STREAM))])
        pairs.append(_impostors(own, pool, first, last, n_impostor, _rng(seed, subject, IMPOSTOR_STREAM)))
    enrolment, probe = np.concatenate(pairs).astype(np.int64).T
    if not any(len(found) for found in pairs[1::2]):
        raise MmbioError(f"trials: no two of {len(kept)} subjects are of one gender; leave --same-gender out")
    is_genuine = np.repeat(np.arange(len(pairs)) % 2 == 0, [len(found) for found in pairs])
    n_short = sum(int(partners[subject].sum()) < n_genuine for subject in kept)
    return Trials(enrolment.copy(), probe.copy(), is_genuine, len(blocks) - len(kept), n_short)


def _rng(seed: int, subject: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([seed, subject, stream])


def _partners(group: np.ndarray) -> np.ndarray:
    """How many samples after each one are of another group; group (m,) is sorted."""
    return len(group) - np.searchsorted(group, group, side="right")


def _genuine(partners: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Up to n different pairs (p, 2) of positions, of different groups; `partners` as _partners counts them."""
    ends = np.cumsum(partners)
    total = int(ends[-1])
    numbers = np.sort(rng.choice(total, min(n, total), replace=False))
    first = np.searchsorted(ends, numbers, side="right")
    second = len(partners) - (ends[first] - numbers)  # a sample's partners are the last ones
    pairs = np.stack([first, second], axis=1)
    return np.where(rng.random(len(pairs))[:, None] < 0.5, pairs, pairs[:, ::-1])


def _impostors(
    own: np.ndarray, pool: np.ndarray, first: int, last: int, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Up to n different pairs (p, 2) of rows, the second in the pool but outside pool[first:last]."""
    n_others = len(pool) - (last - first)
    total = len(own) * n_others
    numbers = np.sort(rng.choice(total, min(n, total), replace=False)) if total else np.zeros(0, np.int64)
    enrolment, other = np.divmod(numbers, max(1, n_others))
    other += (last - first) * (other >= first)
    return np.stack([own[enrolment], pool[other]], axis=1)


def _pools(
    order: np.ndarray, blocks: list[tuple[int, int]], genders: np.ndarray | None
) -> list[tuple[np.ndarray, int, int]]:
    """For each block the rows that impostors come from, and the stretch of them that is the block itself."""
    of_block = ["" if genders is None else _gender(genders[order[s:e]]) for s, e in blocks]
    unknown = of_block.count("") if genders is not None else 0
    if unknown:
        raise MmbioError(
            f"trials: the gender of {unknown} of {len(blocks)} subjects is not known, where impostors should be of"
            " the same; add it, or leave --same-gender out"
        )
    pools: dict[str, np.ndarray] = {}
    ends = dict.fromkeys(of_block, 0)
    stretches = []
    for gender, (s, e) in zip(of_block, blocks, strict=True):
        stretches.append((ends[gender], ends[gender] + e - s))
        ends[gender] += e - s
    for gender in ends:
        rows = [order[s:e] for g, (s, e) in zip(of_block, blocks, strict=True) if g == gender]
        pools[gender] = np.concatenate(rows)
    return [(pools[gender], *stretch) for gender, stretch in zip(of_block, stretches, strict=True)]


def _gender(genders: np.ndarray) -> str:
    """The one gender of a subject's samples; raises ValueError for two."""
    found = sorted(set(genders.tolist()))
    if len(found) > 1:
        raise ValueError(f"expected one gender for a subject, got {found}")
    return str(found[0])
