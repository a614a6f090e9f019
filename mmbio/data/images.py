"""Images: a file to pixels, and one seeded augmentation of them."""

import io
import math
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmbio.data.readers.socofing import NAME as SOCOFING
from mmbio.errors import MmbioError
from mmbio.protocols import CROP, ROTATION_DEGREES, TRANSLATION

Pixels = NDArray[np.uint8]

DEPTH_8: Final = frozenset({"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"})
BROKEN: Final = (  # what Pillow's decoders raise on broken files
    *(OSError, ValueError, TypeError, SyntaxError, ArithmeticError, LookupError, AttributeError),
    *(struct.error, zlib.error),
)
MAX_FRAME: Final = 6  # px that `trim` takes from a side at most
# The formats of the suffixes that are looked for. Pillow knows others, one of which it hands to Ghostscript.
FORMATS: Final = ("BMP", "JPEG", "PNG", "PPM", "TIFF")
MOST_PIXELS: Final = 50_000_000  # decoding takes several copies of an image, together less than 1 GB
FRAME_SHARE: Final = 0.9  # of a line's pixels that bear its one grey value


def load_image(path: Path, data: bytes | None = None) -> Pixels:
    """Decode an image to uint8 (H, W, 3): grey is repeated, alpha is dropped, SOCOFing's frame is trimmed.

    `data` is the file's content where the caller has it already. Raises MmbioError naming the
    file where it is not there, empty, cut short, or not an image of 8 bits a channel.
    """
    cure = "take it from the set's archive again, or delete it"
    try:
        content = path.read_bytes() if data is None else data
    except OSError as error:
        raise MmbioError(f"{path}: cannot be read ({error.strerror}); {cure}") from error
    if not content:
        raise MmbioError(f"{path}: zero bytes where an image was expected; {cure}")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if math.prod(image.size) > MOST_PIXELS:
                raise Image.DecompressionBombError(f"{image.width} x {image.height} pixels")
            image.load()
            if image.mode not in DEPTH_8:
                raise MmbioError(
                    f"{path}: pixels of mode {image.mode} where 8 bits a channel were expected; convert it"
                )
            # Pillow warns where a palette with alpha becomes RGB in one step.
            pixels = np.array(
                image.convert("RGBA").convert("RGB") if image.mode in ("P", "PA") else image.convert("RGB")
            )
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # a warning where it is an error
        raise MmbioError(f"{path}: an image too large to be a sample ({error}); {cure}") from error
    except BROKEN as error:
        raise MmbioError(f"{path}: cut short or not an image ({error}); {cure}") from error
    return trim(pixels) if SOCOFING.fullmatch(path.name) else pixels


def trim(image: Pixels) -> Pixels:
    """Cut the frame off (H, W, 3): from each side the outer lines of one grey value, MAX_FRAME at most."""
    top, bottom = (_frame(image[rows]) for rows in (slice(None), slice(None, None, -1)))
    columns = image[top : len(image) - bottom].swapaxes(0, 1)
    left, right = (_frame(columns[rows]) for rows in (slice(None), slice(None, None, -1)))
    return np.ascontiguousarray(image[top : len(image) - bottom, left : len(columns) - right])


def augment(image: Pixels, seed: int | Sequence[int]) -> Pixels:
    """Rotate, shift and crop (H, W, 3) within the ranges of mmbio.protocols; the size stays ("Virtual Dataset").

    What comes in from outside has the median colour of the image's border. The crop cuts up to
    CROP off the width and off the height, at a random place, and is scaled back to the size.
    """
    rng = np.random.default_rng(seed)
    degrees = rng.uniform(-ROTATION_DEGREES, ROTATION_DEGREES)
    shift = rng.uniform(-TRANSLATION, TRANSLATION, 2)
    cut = rng.uniform(0.0, CROP, 2)
    place = rng.uniform(0.0, 1.0, 2)
    return warp(image, degrees, (shift[0], shift[1]), (cut[0], cut[1]), (place[0], place[1]))


def warp(
    image: Pixels,
    degrees: float = 0.0,
    shift: tuple[float, float] = (0.0, 0.0),
    cut: tuple[float, float] = (0.0, 0.0),
    place: tuple[float, float] = (0.5, 0.5),
) -> Pixels:
    """Rotate (H, W, 3) clockwise about its centre, shift it right and down, then crop and scale back, in one step.

    `shift` and `cut` are shares of the width and of the height; `place` says which share of the
    cut falls on the left and on the top.
    """
    height, width = image.shape[:2]
    size = np.array([width, height], dtype=float)
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    back = np.array([[cosine, sine], [-sine, cosine]])  # output to input, y pointing down
    scale = np.diag(1.0 - np.asarray(cut))
    corner = np.asarray(cut) * np.asarray(place) * size
    centre = size / 2
    matrix = back @ scale
    offset = back @ (corner - np.asarray(shift) * size - centre) + centre
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])  # (2 H + 2 W - 4, 3)
    red, green, blue = (int(value) for value in np.median(border, axis=0))
    moved = Image.fromarray(image).transform(
        (width, height),
        Image.Transform.AFFINE,
        (*matrix[0], offset[0], *matrix[1], offset[1]),
        resample=Image.Resampling.BILINEAR,
        fillcolor=(red, green, blue),
    )
    return np.array(moved)


def _frame(lines: Pixels) -> int:
    """How many of the first lines (N, L, 3) are of one colour."""
    outer = lines[: min(MAX_FRAME, (len(lines) - 1) // 2)].astype(int)
    off = np.abs(outer - np.median(outer, axis=1, keepdims=True)).max(axis=2)  # (n, L)
    framed = (off <= 2).mean(axis=1) >= FRAME_SHARE
    return int(np.argmin(np.append(framed, False)))
