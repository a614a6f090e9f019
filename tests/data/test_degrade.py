"""Degraded faces: each kind does what its words say, more of it at a higher level, and nothing at 0."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mmbio.data.degrade import KINDS, blur, crop, degrade, lowres
from mmbio.data.noise import blacken


def noise(height: int = 150, width: int = 150) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(1, 256, (height, width, 3), dtype=np.uint8)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_of_zero_changes_nothing_and_no_level_touches_the_chip_itself(kind: str) -> None:
    chip = noise()
    same = degrade(chip, kind, 0.0, rng())
    assert np.array_equal(same, chip)
    assert same is not chip
    degrade(chip, kind, KINDS[kind].largest, rng())
    assert np.array_equal(chip, noise())


@given(st.sampled_from(list(KINDS)), st.integers(1, 40), st.integers(1, 40), st.floats(0, 1), st.integers(0, 2**16))
def test_shape_and_type_stay_and_a_seed_fixes_the_bytes(
    kind: str, height: int, width: int, share: float, seed: int
) -> None:
    chip, level = noise(height, width), share * KINDS[kind].largest
    found = degrade(chip, kind, level, rng(seed))
    assert found.shape == chip.shape
    assert found.dtype == np.uint8
    assert np.array_equal(found, degrade(chip, kind, level, rng(seed)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_level_is_further_from_the_chip(kind: str) -> None:
    chip = noise()
    chip[:, 75:] //= 4  # something coarse, which the strongest blur still softens
    levels = np.linspace(0, KINDS[kind].largest, 6)
    apart = [np.abs(degrade(chip, kind, level, rng()).astype(int) - chip).mean() for level in levels]
    assert apart == sorted(apart)
    assert len(set(apart)) == len(apart)


def test_black_is_the_one_of_the_other_protocol_and_draws_anew_for_each_seed() -> None:
    chip = noise()
    assert np.array_equal(degrade(chip, "black", 0.3, rng()), blacken(chip, 0.3, rng()))
    assert not np.array_equal(degrade(chip, "black", 0.3, rng(1)), blacken(chip, 0.3, rng()))


@pytest.mark.parametrize("kind", ["blur", "lowres", "crop"])
def test_the_others_draw_nothing(kind: str) -> None:
    generator = rng()
    found = degrade(noise(), kind, 0.5, generator)
    assert generator.random() == rng().random()
    assert np.array_equal(found, degrade(noise(), kind, 0.5, rng(1)))


@pytest.mark.parametrize("sigma", [1.0, 2.5, 8.0])
def test_a_blurred_point_spreads_by_sigma(sigma: float) -> None:
    edge = np.zeros((1, 150, 3), np.uint8)
    edge[:, 75:] = 255
    spread = np.diff(blur(edge, sigma)[0, :, 0].astype(float)) / 255
    place = np.arange(149)
    mean = spread @ place
    assert spread.sum() == pytest.approx(1)
    assert math.sqrt(spread @ (place - mean) ** 2) == pytest.approx(sigma, rel=0.03)


@pytest.mark.parametrize(
    ("share", "values"),
    [
        (0.5, [20, 28, 43, 50]),  # means 20 and 50, then bilinear between their centres: 27.5, 42.5
        (0.75, [35, 35, 35, 35]),
        (0.99, [35, 35, 35, 35]),
        (0.1, [10, 30, 40, 60]),  # 3.6 is 4 pixels
    ],
)
def test_lowres_averages_areas(share: float, values: list[int]) -> None:
    chip = np.tile(np.array([10, 30, 40, 60], np.uint8)[None, :, None], (4, 1, 3))
    assert np.array_equal(lowres(chip, share), np.tile(np.array(values, np.uint8)[None, :, None], (4, 1, 3)))


@pytest.mark.parametrize(
    ("share", "rows", "columns"),
    [
        (0.0, slice(0, 10), slice(0, 8)),
        (0.5, slice(2, 7), slice(2, 6)),
        (0.75, slice(4, 6), slice(3, 5)),
        (0.99, slice(0, 0), slice(0, 0)),
        (1.0, slice(0, 0), slice(0, 0)),
    ],
)
def test_crop_keeps_the_centre_in_its_place(share: float, rows: slice, columns: slice) -> None:
    kept = np.zeros((10, 8), bool)
    kept[rows, columns] = True
    assert np.array_equal(crop(noise(10, 8), share), np.where(kept[:, :, None], noise(10, 8), 0))


@pytest.mark.parametrize(
    ("kind", "level", "told"),
    [
        ("fog", 0.5, "expected a kind among black, blur, lowres, crop, not 'fog'"),
        ("black", 1.01, r"black: expected a level from 0 to 1 \(share of pixels turned black\), not 1.01"),
        ("blur", -1.0, "blur: expected a level from 0 to 75"),
        ("lowres", 1.0, "lowres: expected a level from 0 to 0.99"),
        ("crop", math.nan, "crop: expected a level from 0 to 1"),
    ],
)
def test_what_cannot_be_asked_for(kind: str, level: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        degrade(noise(4, 4), kind, level, rng())
