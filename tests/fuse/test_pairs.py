"""Pairs to train on: genuine and impostor ones, and modalities that stay together or are drawn apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbio.errors import MmbioError
from mmbio.fuse.pairs import Pool, draw

# Rows 10 to 19 of four subjects, mixed: 7 has four samples in two videos, 3 has three in one, 5 and 9 have fewer.
SUBJECTS = np.array([7, 3, 7, 5, 7, 3, 7, 3, 9, 9])
VIDEOS = np.array(["a", "a", "b", "a", "b", "a", "b", "a", "x", "y"])
ROWS = np.arange(10, 20)


def pool(rows: np.ndarray = ROWS, subjects: np.ndarray = SUBJECTS, videos: np.ndarray = VIDEOS) -> Pool:
    return Pool.of(rows, subjects, videos)


def subject_of(rows: np.ndarray) -> np.ndarray:
    return np.asarray(SUBJECTS[rows - 10])


def test_a_pool_by_hand() -> None:
    found = pool()
    assert found.rows.tolist() == [11, 15, 17, 13, 10, 12, 14, 16, 18, 19]
    assert found.starts.tolist() == [0, 3, 4, 8]
    assert found.counts.tolist() == [3, 1, 4, 2]
    assert found.videos.tolist() == [-1, -1, -1, -1, 0, 1, 1, 1, 2, 3]


def test_genuine_pairs() -> None:
    first, second = pool().genuine(3000, np.random.default_rng(0))
    assert (subject_of(first) == subject_of(second)).all()
    assert (first != second).all()
    assert set(subject_of(first).tolist()) == {3, 7, 9}  # subject 5 has one sample
    different = VIDEOS[first - 10] != VIDEOS[second - 10]
    assert different[subject_of(first) == 9].all()
    assert different[subject_of(first) == 7].mean() > 0.95  # drawn again, eight times at most; else half of them
    np.testing.assert_allclose(np.bincount(subject_of(first))[[3, 7, 9]] / 3000, 1 / 3, atol=0.03)


def test_impostor_pairs() -> None:
    first, second = pool().impostor(3000, np.random.default_rng(0))
    assert (subject_of(first) != subject_of(second)).all()
    assert set(first.tolist()) == set(second.tolist()) == set(ROWS.tolist())
    pairs = np.unique(np.stack([subject_of(first), subject_of(second)]), axis=1)
    assert pairs.shape[1] == 4 * 3


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from("ab")), min_size=2, max_size=20), st.integers(0, 9))
def test_whatever_the_pool(samples: list[tuple[int, str]], seed: int) -> None:
    subjects, videos = np.array([s for s, _ in samples]), np.array([v for _, v in samples])
    found = Pool.of(np.arange(len(samples)), subjects, videos)
    try:
        found.check("train")
    except MmbioError:
        assert len(set(subjects)) < 2 or len(set(subjects)) == len(subjects)
        return
    first, second = found.genuine(50, np.random.default_rng(seed))
    assert (subjects[first] == subjects[second]).all()
    assert (first != second).all()
    first, second = found.impostor(50, np.random.default_rng(seed))
    assert (subjects[first] != subjects[second]).all()


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        ([], "0 subjects, 0 with two samples, to tune on"),
        ([4, 4], "1 subject, 1 with two samples, to tune on"),
        ([1, 2, 3], "3 subjects, 0 with two samples, to tune on"),
    ],
)
def test_too_few(subjects: list[int], words: str) -> None:
    n = len(subjects)
    found = Pool.of(np.arange(n), np.array(subjects, dtype=np.int64), np.full(n, "a"))
    with pytest.raises(MmbioError, match=f"^{words} where at least 2 and 1 are needed; add data"):
        found.check("tune")


def test_together_a_frame_keeps_its_speech() -> None:
    first, second, genuine = draw({"face": pool(), "voice": pool()}, True, 20, np.random.default_rng(0))
    assert genuine.tolist() == [True] * 20 + [False] * 20
    for side in (first, second):
        assert np.array_equal(side["face"], side["voice"])
    assert ((subject_of(first["face"]) == subject_of(second["face"])) == genuine).all()


def test_apart_every_modality_has_people_of_its_own() -> None:
    voices = pool(ROWS[:8], SUBJECTS[:8], VIDEOS[:8])
    first, second, genuine = draw({"face": pool(), "voice": voices}, False, 500, np.random.default_rng(0))
    for modality in ("face", "voice"):
        assert first[modality].shape == second[modality].shape == genuine.shape == (1000,)
        assert ((subject_of(first[modality]) == subject_of(second[modality])) == genuine).all()
    assert (subject_of(first["face"]) != subject_of(first["voice"])).mean() > 0.5
    assert first["voice"].max() < 18


def test_seeds_decide() -> None:
    drawn = [draw({"face": pool()}, False, 30, np.random.default_rng(seed))[0]["face"].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
