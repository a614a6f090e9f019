"""Synthetic fingerprints in the on-disk layout of FVC2006 DB1_A: `fvc2006/DB1_A/<finger>_<impression>.bmp`.

A finger has a master print: an orientation field after Sherlock and Monro's zero-pole model, whose
cores and deltas make the pattern class, and ridges grown along it by iterated Gabor filtering, as
SFinGe does. An impression sees the master through a placement, a skin distortion, a pressure, a
partial contact and a noisy sensor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

FOLDER: Final = "fvc2006"
N_SUBJECTS: Final = 72
N_IMPRESSIONS: Final = 12
IDENTITY_SPREAD: Final = 1.184  # benchmarks/calibrate_synthetic.py; in units of draw_finger's deviations

SIDE: Final = 96  # pixels of an impression
_MASTER_SIDE: Final = 144  # pixels of a master print: room for rotation and shift
_N_ORIENTATIONS: Final = 24  # filters of the bank, over half a turn
_N_GROWTHS: Final = 24  # passes of the bank
_GABOR_WIDTH: Final = 0.55  # standard deviation of a filter's envelope, in ridge periods
_GROWTH_GAIN: Final = 3.0
_SEED_SHARE: Final = 0.01  # of the master's pixels start as ridge seeds

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pattern:
    """A pattern class: how common it is, and where its singularities typically lie.

    Positions are complex numbers in pixels from the centre, x to the right and y upwards.
    """

    share: float
    cores: tuple[complex, ...]
    deltas: tuple[complex, ...]


# Shares after Wilson, Candela and Watson's count of the NIST cards; an arch is a core and delta below the print.
PATTERNS: Final[Mapping[str, Pattern]] = MappingProxyType(
    {
        "arch": Pattern(0.07, (-50j,), (-130j,)),
        "left loop": Pattern(0.34, (0j,), (36 - 46j,)),
        "right loop": Pattern(0.31, (0j,), (-36 - 46j,)),
        "whorl": Pattern(0.28, (9j, -7j), (44 - 42j, -44 - 42j)),
    }
)


@dataclass(frozen=True)
class Finger:
    """What all impressions of a finger share. Lengths in pixels, greys from 0 (black) to 255."""

    cores: tuple[complex, ...]
    deltas: tuple[complex, ...]
    period: float  # from ridge to ridge
    tilt: float  # radians, of the finger on the sensor
    contact: tuple[float, float]  # half axes of the contact ellipse, across and along the finger
    centre: complex  # of the contact ellipse
    pressure: float  # above 0: ridges wider than valleys
    lean: complex  # how much the pressure rises over half a sensor, to the right and upwards
    ridge: float  # grey of a ridge
    valley: float  # grey of a valley and of the bare sensor


def write_subject(folder: Path, index: int, seed: int, spread: float = IDENTITY_SPREAD) -> None:
    """Write the twelve impressions of finger `index` (from 0) as folder/DB1_A/{index+1}_1.bmp to _12.bmp.

    `spread` scales how far fingers differ; the variation inside a finger stays as it is.
    Raises ValueError where `index` or `spread` is below 0.
    """
    if index < 0 or spread < 0:
        raise ValueError(f"index and spread must not be below 0: {index}, {spread}")
    rng = np.random.default_rng([seed, index, 0])
    finger = draw_finger(rng, spread)
    orientation = orientation_field(finger.cores, finger.deltas, _MASTER_SIDE)
    master = grow_ridges(orientation, finger.period, rng)
    (folder / "DB1_A").mkdir(parents=True, exist_ok=True)
    for impression in range(1, N_IMPRESSIONS + 1):
        pixels = press(finger, master, np.random.default_rng([seed, index, impression]))
        Image.fromarray(pixels).save(folder / "DB1_A" / f"{index + 1}_{impression}.bmp")


def draw_finger(rng: np.random.Generator, spread: float) -> Finger:
    """A finger of a random pattern class, up to `spread` times the largest deviations away from that class's mean."""
    names = list(PATTERNS)
    pattern = PATTERNS[names[rng.choice(len(names), p=[p.share for p in PATTERNS.values()])]]

    def about(mean: float, deviation: float, low: float = -np.inf, high: float = np.inf) -> float:
        return float(np.clip(mean + spread * deviation * rng.uniform(-1, 1), low, high))

    moved = complex(about(0, 17), about(0, 17))  # the whole pattern on the sensor
    return Finger(
        cores=tuple(at + moved + complex(about(0, 12), about(0, 12)) for at in pattern.cores),
        deltas=tuple(at + moved + complex(about(0, 12), about(0, 12)) for at in pattern.deltas),
        period=float(np.exp(about(np.log(5.8), 0.31, np.log(4), np.log(11)))),
        tilt=float(np.deg2rad(about(0, 14, -45, 45))),
        contact=(about(44, 12, 24, 72), about(54, 14, 28, 80)),
        centre=complex(about(0, 7), about(0, 9)),
        pressure=about(0, 0.4, -0.6, 0.6),
        lean=complex(about(0, 0.4, -0.8, 0.8), about(0, 0.4, -0.8, 0.8)),
        ridge=about(70, 40, 5, 125),
        valley=about(215, 28, 180, 252),
    )


def orientation_field(cores: Sequence[complex], deltas: Sequence[complex], side: int) -> Array:
    """Ridge orientations of the zero-pole model (Sherlock and Monro 1993), in [0, pi).

    Half the sum of the angles seen from the cores, less half the sum of those seen from the deltas.
    Returns (side, side) radians, counter-clockwise from the x axis; positions as in Pattern.
    """
    at = np.arange(side) - (side - 1) / 2
    z = at[None, :] - 1j * at[:, None]
    angle = np.zeros((side, side))
    for core in cores:
        angle += np.angle(z - core)
    for delta in deltas:
        angle -= np.angle(z - delta)
    turned: Array = (angle / 2) % np.pi
    return turned


def grow_ridges(orientation: Array, period: float, rng: np.random.Generator) -> Array:
    """Ridges (towards 1) and valleys (towards -1) grown along an orientation field from random seeds.

    orientation: (S, S) radians; period: pixels from ridge to ridge. Returns (S, S).
    """
    from scipy import fft

    bank = _gabor_bank(orientation.shape[0], period)  # (N, S, S // 2 + 1)
    nearest = np.rint(orientation / np.pi * _N_ORIENTATIONS).astype(np.intp)[None] % _N_ORIENTATIONS
    ridges = (rng.random(orientation.shape) < _SEED_SHARE).astype(np.float32)
    for _ in range(_N_GROWTHS):
        responses = fft.irfft2(fft.rfft2(ridges) * bank, s=orientation.shape)  # (N, S, S)
        ridges = np.tanh(_GROWTH_GAIN * np.take_along_axis(responses, nearest, axis=0)[0])
    return ridges.astype(np.float64)


def _gabor_bank(side: int, period: float) -> NDArray[np.float32]:
    """Frequency responses, peak 1, of even Gabor filters whose ridges run at k pi / N: (N, side, side // 2 + 1)."""
    angles = np.arange(_N_ORIENTATIONS)[:, None, None] * np.pi / _N_ORIENTATIONS
    rows, columns = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    peaks = np.zeros((_N_ORIENTATIONS, side, side // 2 + 1))
    for sign in (1, -1):
        off = (columns - sign * np.sin(angles) / period) ** 2 + (rows - sign * np.cos(angles) / period) ** 2
        peaks += np.exp(-2 * (np.pi * _GABOR_WIDTH * period) ** 2 * off)
    peaks[:, 0, 0] = 0
    return peaks.astype(np.float32)


def press(finger: Finger, master: Array, rng: np.random.Generator) -> NDArray[np.uint8]:
    """One impression of a finger: (96, 96) grey levels."""
    from scipy import ndimage

    at = np.arange(SIDE) - (SIDE - 1) / 2
    z = at[None, :] - 1j * at[:, None]  # on the sensor
    turn = finger.tilt + np.deg2rad(rng.normal(0, 3.0))
    shift = complex(*rng.normal(0, 2, 2))
    skin = (z - shift) * np.exp(-1j * turn)  # on the finger
    distortion = 1.2 * (_smooth(rng, 24) + 1j * _smooth(rng, 24))
    seen = skin + distortion
    middle = (master.shape[0] - 1) / 2
    ridges = ndimage.map_coordinates(master, [middle - seen.imag, middle + seen.real], order=3, mode="grid-wrap")
    pressure = finger.pressure + (skin * finger.lean.conjugate()).real / (SIDE / 2) + rng.normal(0, 0.07)
    pressure += 0.12 * _smooth(rng, 8) + 0.2 * _smooth(rng, 1)
    touch = 1 / (1 + np.exp(-4.5 * (ridges + pressure)))
    touch *= _contact(finger, skin, rng)
    ridge, valley = finger.ridge + rng.normal(0, 3), finger.valley + rng.normal(0, 2)
    grey = valley + (ridge - valley) * touch + 3 * _smooth(rng, 16) + rng.normal(0, 4, z.shape)
    pixels: NDArray[np.uint8] = np.rint(grey.clip(0, 255)).astype(np.uint8)
    return pixels


def _contact(finger: Finger, skin: NDArray[np.complex128], rng: np.random.Generator) -> Array:
    """How firmly each point of the skin lies on the sensor, from 0 to 1: an ellipse with an uneven rim."""
    across, along = np.asarray(finger.contact) * np.exp(rng.normal(0, 0.03) + rng.normal(0, 0.02, 2))
    z = skin - finger.centre - complex(*rng.normal(0, 1.5, 2))
    radius = np.hypot(z.real / across, z.imag / along) + 0.06 * _smooth(rng, 5)
    firmness: Array = 1 / (1 + np.exp(18 * (radius - 1)))
    return firmness


def _smooth(rng: np.random.Generator, scale: float) -> Array:
    """A smooth random field of unit variance over the sensor: (96, 96); scale in pixels."""
    from scipy import ndimage

    field = ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), scale, mode="wrap")
    normed: Array = field * 2 * np.sqrt(np.pi) * scale
    return normed
