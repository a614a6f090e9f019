"""Degraded faces: an aligned chip that is blackened, blurred, coarse or cropped, at one level.

A condition asks for them by name, as in `face=blur:4`. They bring a face that is recognised without
error to the audio-visual paper's difficulty (8.03 % EER). A level of 0 leaves the chip as it is.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from mmbio.data.noise import blacken

Pixels = NDArray[np.uint8]


class Kind(NamedTuple):
    """One way to degrade a chip: function of (chip, level, rng), what the level means, and its largest value."""

    function: Callable[[Pixels, float, np.random.Generator], Pixels]
    meaning: str
    largest: float


def degrade(chip: Pixels, kind: str, level: float, rng: np.random.Generator) -> Pixels:
    """A chip (H, W, 3) uint8 degraded in one of KINDS, of the same shape; only `black` draws from `rng`.

    Raises ValueError for an unknown kind, or a level outside 0 to the kind's largest.
    """
    if kind not in KINDS:
        raise ValueError(f"expected a kind among {', '.join(KINDS)}, not {kind!r}")
    function, meaning, largest = KINDS[kind]
    if not 0.0 <= level <= largest:
        raise ValueError(f"{kind}: expected a level from 0 to {largest:g} ({meaning}), not {level}")
    return function(chip, level, rng) if level else chip.copy()


def black(chip: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """Turn this share of the pixels of a chip black, at random places."""
    return np.asarray(blacken(chip, share, rng), dtype=np.uint8)


def blur(chip: Pixels, sigma: float) -> Pixels:
    """Blur a chip with a Gaussian of standard deviation `sigma` pixels (Pillow's, three box filters)."""
    return np.array(Image.fromarray(chip).filter(ImageFilter.GaussianBlur(float(sigma))))


def lowres(chip: Pixels, share: float) -> Pixels:
    """Take this share off the width and off the height in pixels, 1 pixel left at least, and scale back to the size.

    Down by averaging over areas, up bilinear: 0.9 leaves 15 x 15 pixels of 150 x 150.
    """
    height, width = chip.shape[:2]
    small = (max(1, round(width * (1 - share))), max(1, round(height * (1 - share))))
    image = Image.fromarray(chip).resize(small, Image.Resampling.BOX)
    return np.array(image.resize((width, height), Image.Resampling.BILINEAR))


def crop(chip: Pixels, share: float) -> Pixels:
    """Keep the central round((1 - share) * H) x round((1 - share) * W) pixels of a chip; what lies around turns black.

    Hair, background and outline go first, the nose last; nothing is moved or enlarged.
    """
    height, width = chip.shape[:2]
    rows, columns = round(height * (1 - share)), round(width * (1 - share))
    top, left = (height - rows) // 2, (width - columns) // 2
    centre = np.s_[top : top + rows, left : left + columns]
    cropped = np.zeros_like(chip)
    cropped[centre] = chip[centre]
    return cropped


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "black": Kind(black, "share of pixels turned black", 1.0),
        "blur": Kind(lambda chip, level, _: blur(chip, level), "standard deviation of the blur in pixels", 75.0),
        "lowres": Kind(lambda chip, level, _: lowres(chip, level), "share of width and height taken off", 0.99),
        "crop": Kind(
            lambda chip, level, _: crop(chip, level), "share of width and height cut off around the centre", 1.0
        ),
    }
)
