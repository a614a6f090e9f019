"""Noise: as much as was asked for, and the same for the same seed."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmbio.data.noise import blacken, gaussian

SHAPE = (2000, 3, 30)


def white(height: int, width: int) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 255, np.uint8)


def n_black(image: NDArray[np.uint8]) -> int:
    return int((image == 0).all(axis=2).sum())


@pytest.mark.parametrize(
    ("height", "width", "share", "n"),
    [(200, 180, 0.97, 34920), (96, 96, 0.05, 461), (1, 1, 0.97, 1), (10, 10, 0.0, 0), (10, 10, 1.0, 100)],
)
def test_so_many_pixels_are_black(height: int, width: int, share: float, n: int) -> None:
    image = blacken(white(height, width), share, np.random.default_rng(0))
    assert n_black(image) == n
    assert int((image == 255).all(axis=2).sum()) == height * width - n


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0, 1), st.integers(0, 2**16))
def test_exactly_the_share_in_all_channels(height: int, width: int, share: float, seed: int) -> None:
    noisy = blacken(white(height, width), share, np.random.default_rng(seed))
    assert n_black(noisy) == round(share * height * width)
    assert set(np.unique(noisy)) <= {0, 255}


def test_the_image_itself_is_left_alone_and_its_layout_does_not_matter() -> None:
    image = white(20, 30).transpose(1, 0, 2)
    noisy = blacken(image, 0.5, np.random.default_rng(0))
    assert (image == 255).all()
    assert n_black(noisy) == 300


def test_black_pixels_lie_anywhere() -> None:
    noisy = blacken(white(100, 100), 0.5, np.random.default_rng(0))
    halves = [n_black(part) / 5000 for part in (noisy[:50], noisy[50:], noisy[:, :50], noisy[:, 50:])]
    assert max(abs(half - 0.5) for half in halves) < 0.02


def test_gaussian_noise_has_its_mean_and_deviation() -> None:
    beats = np.full(SHAPE, 0.5, np.float32)
    noise = gaussian(beats, 0.1, np.random.default_rng(0)) - beats
    assert noise.dtype == np.float32
    assert abs(float(noise.mean())) < 4 * 0.1 / np.sqrt(noise.size)
    assert abs(float(noise.std()) - 0.1) < 4 * 0.1 / np.sqrt(2 * noise.size)
    assert (beats == 0.5).all()


@pytest.mark.parametrize(
    "noise", [lambda rng: gaussian(np.zeros(SHAPE), 0.1, rng), lambda rng: blacken(white(9, 9), 0.5, rng)]
)
def test_a_seed_fixes_the_noise(noise: Callable[[np.random.Generator], NDArray[np.generic]]) -> None:
    first, again, other = (noise(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
