"""Splits: which samples, beats and triplets train, tune and test.

`triplet` splits triplets after augmentation, as the multitask paper does ("Virtual Dataset"): one
source image or beat may reach both sides. `source` puts the images of a subject, and stretches of beats
of each record, into disjoint blocks before triplets are drawn inside a block; `record` gives the test block the last
record, or the last fifth of the images in capture order.
"""

from collections.abc import Mapping, Sequence
from math import comb

import numpy as np

from mmbio.protocols import BEATS_PER_INPUT, TEST_SHARE

BLOCKS = ("train", "dev", "test")
BORDER = 1  # beats left out between blocks of a record: in a fast heart, neighbours share samples
DEV_SHARE = 0.1  # of all, for splits without folds: the paper's 10 %
DEV_SHARE_OF_REST = 1 / 8  # `record`: a contiguous eighth of what does not test

# One pool: per sample, the indices of the parts (beats) that a block may use; an image is one part.
Pool = dict[int, np.ndarray]


def image_blocks(n: int, split: str, rng: np.random.Generator) -> dict[str, Pool] | None:
    """The images 0..n-1, in capture order, that each block may draw; None where a block stays empty."""
    if split == "triplet":
        return dict.fromkeys(BLOCKS, _images(np.arange(n)))
    if n < len(BLOCKS):
        return None
    order = rng.permutation(n) if split == "source" else np.arange(n)
    n_test = max(1, round(TEST_SHARE * n))
    n_dev = max(1, round((DEV_SHARE * n) if split == "source" else DEV_SHARE_OF_REST * (n - n_test)))
    return {
        "train": _images(order[: n - n_test - n_dev]),
        "dev": _images(order[n - n_test - n_dev : n - n_test]),
        "test": _images(order[n - n_test :]),
    }


def beat_blocks(n_beats: Sequence[int], split: str, rng: np.random.Generator) -> dict[str, Pool] | None:
    """The beats that each block may draw from records of `n_beats` beats, in capture order.

    A block holds at least BEATS_PER_INPUT beats of each record it names, since an input's beats
    come from one record. None where a block stays empty.
    """
    records = {i: np.arange(n) for i, n in enumerate(n_beats) if n >= BEATS_PER_INPUT}
    if split == "triplet":
        return dict.fromkeys(BLOCKS, records) if records else None
    blocks = _beats_by_source(records, rng) if split == "source" else _beats_by_record(records)
    return blocks if all(blocks.values()) else None


def _images(indices: np.ndarray) -> Pool:
    return {int(i): np.zeros(1, dtype=np.int64) for i in np.sort(indices)}


def _beats_by_source(records: Pool, rng: np.random.Generator) -> dict[str, Pool]:
    blocks: dict[str, Pool] = {block: {} for block in BLOCKS}
    for record, beats in records.items():
        n_test = max(BEATS_PER_INPUT, round(TEST_SHARE * len(beats)))
        n_dev = max(BEATS_PER_INPUT, round(DEV_SHARE * len(beats)))
        n_train = len(beats) - n_test - n_dev - 2 * BORDER
        if n_train < BEATS_PER_INPUT:
            continue
        sizes = {"train": n_train, "dev": n_dev, "test": n_test}
        start = 0
        for block in rng.permutation(BLOCKS):
            blocks[block][record] = beats[start : start + sizes[block]]
            start += sizes[block] + BORDER
    return blocks


def _beats_by_record(records: Pool) -> dict[str, Pool]:
    if len(records) < 2:
        return {block: {} for block in BLOCKS}
    *rest, last = records
    n_dev = max(BEATS_PER_INPUT, round(DEV_SHARE_OF_REST * sum(len(records[r]) for r in rest)))
    train, dev = {r: records[r] for r in rest}, Pool()
    for record in reversed(rest):  # from the end backwards, so that the dev block is contiguous
        taken = min(max(n_dev, BEATS_PER_INPUT), len(records[record]))
        left = len(records[record]) - taken
        if left < BEATS_PER_INPUT:
            taken = len(records[record])
            del train[record]
        else:
            train[record] = records[record][:left]
        dev[record] = records[record][-taken:]
        n_dev -= taken
        if n_dev <= 0:
            break
    return {"train": train, "dev": dev, "test": {last: records[last]}}


def draw_images(pool: Pool, n: int, rng: np.random.Generator) -> list[tuple[int, str]]:
    """n draws (image, augmentation seed), with replacement: as any n of a subject's many augmented images."""
    images = rng.choice(sorted(pool), n)
    return [(int(i), str(seed)) for i, seed in zip(images, rng.integers(2**31, size=n), strict=True)]


def draw_beats(pool: Pool, n: int, rng: np.random.Generator) -> list[tuple[int, str]]:
    """n draws (record, "b1 b2 b3"): three beats of one record, combinations not repeated while some are left."""
    records = sorted(pool)
    n_combinations = sum(comb(len(beats), BEATS_PER_INPUT) for beats in pool.values())
    seen: set[tuple[int, str]] = set()
    draws: list[tuple[int, str]] = []
    while len(draws) < n:
        record = records[int(rng.integers(len(records)))]
        beats = np.sort(rng.choice(pool[record], BEATS_PER_INPUT, replace=False))
        draw = (record, " ".join(map(str, beats)))
        if len(seen) == n_combinations:
            seen.clear()
        if draw not in seen:
            seen.add(draw)
            draws.append(draw)
    return draws


def counts(n: int, split: str) -> Mapping[str, int]:
    """How many of a subject's n triplets each block gets; with folds, dev comes out of train later."""
    n_test = max(1, round(TEST_SHARE * n))
    n_dev = 0 if split == "triplet" else max(1, round(DEV_SHARE * n))
    return {"train": n - n_test - n_dev, "dev": n_dev, "test": n_test}


def deal_folds(n: int, subject: int, n_folds: int) -> list[int]:
    """The fold of each of a subject's n train triplets, dealt in turn from a start that moves with the subject."""
    return [(i + subject) % n_folds for i in range(n)]
