"""Splits: blocks worked out by hand, and what holds for all of them."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbio.data.splits import (
    BLOCKS,
    BORDER,
    Pool,
    beat_blocks,
    counts,
    deal_folds,
    draw_beats,
    draw_images,
    image_blocks,
)
from mmbio.protocols import SPLITS

seeds = st.integers(0, 2**16)
records = st.lists(st.integers(0, 40), max_size=5)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def beats_of(pool: Pool) -> set[tuple[int, int]]:
    return {(record, int(beat)) for record, beats in pool.items() for beat in beats}


def pool_of(n_beats: Sequence[int]) -> Pool:
    return {record: np.arange(n) for record, n in enumerate(n_beats)}


def test_triplet_gives_every_block_everything() -> None:
    images, beats = image_blocks(2, "triplet", rng()), beat_blocks([15, 2, 17], "triplet", rng())
    assert images is not None
    assert beats is not None
    for block in BLOCKS:
        assert sorted(images[block]) == [0, 1]
        assert {record: len(found) for record, found in beats[block].items()} == {0: 15, 2: 17}


@pytest.mark.parametrize(
    ("n", "split", "sizes"),
    [
        (20, "source", (14, 2, 4)),
        (20, "record", (14, 2, 4)),
        (12, "record", (9, 1, 2)),
        (8, "source", (5, 1, 2)),
        (3, "source", (1, 1, 1)),
        (3, "record", (1, 1, 1)),
    ],
)
def test_sizes_of_image_blocks(n: int, split: str, sizes: tuple[int, int, int]) -> None:
    blocks = image_blocks(n, split, rng())
    assert blocks is not None
    assert tuple(len(blocks[block]) for block in BLOCKS) == sizes


@pytest.mark.parametrize("n", range(3))
@pytest.mark.parametrize("split", ["source", "record"])
def test_too_few_images_fill_no_blocks(n: int, split: str) -> None:
    assert image_blocks(n, split, rng()) is None


@given(st.integers(3, 60), st.sampled_from(["source", "record"]), seeds)
def test_no_image_is_in_two_blocks_and_none_is_lost(n: int, split: str, seed: int) -> None:
    blocks = image_blocks(n, split, rng(seed))
    assert blocks is not None
    assert sorted(image for block in BLOCKS for image in blocks[block]) == list(range(n))
    assert all(blocks.values())
    if split == "record":  # train, dev and test follow each other in capture order
        assert [image for block in BLOCKS for image in blocks[block]] == list(range(n))


def test_record_by_hand() -> None:
    blocks = beat_blocks([16, 20, 15], "record", rng())
    assert blocks is not None
    spans = {b: {r: (int(v[0]), int(v[-1])) for r, v in blocks[b].items()} for b in BLOCKS}
    # an eighth of the 36 beats before the last record is 4.5, which rounds to 4
    assert spans == {"train": {0: (0, 15), 1: (0, 15)}, "dev": {1: (16, 19)}, "test": {2: (0, 14)}}


def test_record_takes_a_whole_record_where_too_few_beats_would_stay() -> None:
    blocks = beat_blocks([40, 5, 15], "record", rng())
    assert blocks is not None
    assert {r: list(map(int, v)) for r, v in blocks["dev"].items()} == {0: [37, 38, 39], 1: [0, 1, 2, 3, 4]}
    assert {r: len(v) for r, v in blocks["train"].items()} == {0: 37}


@pytest.mark.parametrize(
    ("n_beats", "split"),
    [
        ([], "triplet"),
        ([2, 1], "triplet"),
        ([], "source"),
        ([8], "source"),
        ([8, 8], "source"),
        ([15], "record"),
        ([15, 2], "record"),
        ([5, 15], "record"),
    ],
)
def test_beats_that_cannot_fill_every_block(n_beats: list[int], split: str) -> None:
    assert beat_blocks(n_beats, split, rng()) is None


@given(records, st.sampled_from(SPLITS), seeds)
def test_at_least_three_beats_of_each_record_in_a_block(n_beats: list[int], split: str, seed: int) -> None:
    blocks = beat_blocks(n_beats, split, rng(seed))
    for pool in (blocks or {}).values():
        assert pool
        assert all(len(beats) >= 3 and len(set(beats)) == len(beats) for beats in pool.values())
        assert all(beats.max() < n_beats[record] for record, beats in pool.items())


@given(records, st.sampled_from(["source", "record"]), seeds)
def test_no_beat_is_in_two_blocks_and_only_those_at_borders_are_lost(n_beats: list[int], split: str, seed: int) -> None:
    blocks = beat_blocks(n_beats, split, rng(seed))
    if blocks is None:
        return
    found = [beats_of(blocks[block]) for block in BLOCKS]
    everything = set().union(*found)
    assert sum(map(len, found)) == len(everything)
    used = {record for record, _ in everything}
    assert len(everything) == sum(n_beats[r] - (2 * BORDER if split == "source" else 0) for r in used)


@given(records, seeds)
def test_source_blocks_are_stretches_with_a_beat_between_them(n_beats: list[int], seed: int) -> None:
    blocks = beat_blocks(n_beats, "source", rng(seed)) or {}
    for record in {r for pool in blocks.values() for r in pool}:
        stretches = sorted((pool[record].min(), pool[record].max()) for pool in blocks.values())
        assert all(len(pool[record]) == np.ptp(pool[record]) + 1 for pool in blocks.values())
        assert all(later[0] - sooner[1] == 1 + BORDER for sooner, later in pairwise(stretches))


@given(st.lists(st.integers(3, 40), min_size=2, max_size=5))
def test_record_tests_the_last_record_and_tunes_on_the_stretch_before_it(n_beats: list[int]) -> None:
    blocks = beat_blocks(n_beats, "record", rng())
    if blocks is None:
        return
    last = len(n_beats) - 1
    assert beats_of(blocks["test"]) == {(last, beat) for beat in range(n_beats[last])}
    before = [(record, beat) for record in range(last) for beat in range(n_beats[record])]
    n_dev = len(beats_of(blocks["dev"]))
    assert beats_of(blocks["dev"]) == set(before[-n_dev:])
    assert beats_of(blocks["train"]) == set(before[:-n_dev])


@given(st.sets(st.integers(0, 30), min_size=1), st.integers(0, 40), seeds)
def test_images_are_drawn_from_the_pool(images: set[int], n: int, seed: int) -> None:
    pool = {image: np.zeros(1, np.int64) for image in images}
    draws = draw_images(pool, n, rng(seed))
    assert len(draws) == n
    assert {image for image, _ in draws} <= images
    assert all(0 <= int(augmentation) < 2**31 for _, augmentation in draws)
    assert draws == draw_images(pool, n, rng(seed))


@settings(max_examples=50)
@given(st.lists(st.integers(3, 7), min_size=1, max_size=3), st.integers(0, 60), seeds)
def test_beats_are_three_of_one_record_and_repeat_only_when_none_are_left(
    n_beats: list[int], n: int, seed: int
) -> None:
    draws = draw_beats(pool_of(n_beats), n, rng(seed))
    assert len(draws) == n
    for record, text in draws:
        beats = [int(beat) for beat in text.split()]
        assert len(beats) == 3
        assert all(first < second for first, second in pairwise(beats))
        assert beats[-1] < n_beats[record]
    times = Counter(draws).values()
    n_combinations = sum(comb(n, 3) for n in n_beats)
    assert max(times, default=0) == -(-n // n_combinations)
    assert draws == draw_beats(pool_of(n_beats), n, rng(seed))


def test_all_combinations_of_the_least_record_are_drawn_once_before_any_twice() -> None:
    assert len(set(draw_beats(pool_of([15]), 455, rng()))) == 455


@pytest.mark.parametrize(
    ("n", "split", "sizes"),
    [
        (15, "triplet", (12, 0, 3)),
        (15, "source", (10, 2, 3)),
        (15, "record", (10, 2, 3)),
        (400, "triplet", (320, 0, 80)),
        (400, "source", (280, 40, 80)),
        (10, "source", (7, 1, 2)),
    ],
)
def test_counts_of_triplets(n: int, split: str, sizes: tuple[int, int, int]) -> None:
    assert tuple(counts(n, split)[block] for block in BLOCKS) == sizes


def test_folds_by_hand() -> None:
    assert deal_folds(5, 1, 3) == [1, 2, 0, 1, 2]


@given(st.integers(0, 400), st.integers(0, 60), st.integers(2, 10))
def test_folds_are_balanced_inside_a_subject(n: int, subject: int, n_folds: int) -> None:
    sizes = Counter(deal_folds(n, subject, n_folds))
    assert set(sizes) <= set(range(n_folds))
    assert n // n_folds <= min(sizes[fold] for fold in range(n_folds))
    assert max(sizes[fold] for fold in range(n_folds)) <= -(-n // n_folds)


def test_folds_are_balanced_over_subjects() -> None:
    sizes = Counter(fold for subject in range(58) for fold in deal_folds(12, subject, 8))
    assert max(sizes.values()) - min(sizes.values()) <= 4
