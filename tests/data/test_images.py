"""Images: decoding, SOCOFing's frame, augmentation."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mmbio.data.images import augment, load_image, trim, warp
from mmbio.errors import MmbioError

DATA = Path(os.environ.get("MMBIO_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")
FINGER = "12__F_Left_index_finger.BMP"


def noise(height: int = 30, width: int = 20, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def framed(inside: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A sunken frame: two lines of grey on the upper left, two on the lower right, and two of white below those."""
    image = np.pad(inside, ((2, 4), (2, 4), (0, 0)), constant_values=255)
    image[:-1, 0] = image[0, :-1] = 160
    image[1:-2, 1] = image[1, 1:-2] = 105
    image[-2, 1:-1] = image[1:-1, -2] = 227
    return image


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM"])
def test_colours_come_back_as_written(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.img"
    path.write_bytes(encoded(Image.fromarray(noise()), kind))
    assert np.array_equal(load_image(path), noise())
    assert np.array_equal(load_image(tmp_path / "gone", path.read_bytes()), noise())


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGBA", "CMYK"])
def test_every_mode_becomes_three_channels_of_bytes(tmp_path: Path, mode: str) -> None:
    kind = "TIFF" if mode in ("CMYK", "PA") else "PNG"
    image = load_image(tmp_path / "a", encoded(Image.fromarray(noise()).convert(mode), kind))
    assert image.shape == (30, 20, 3)
    assert image.dtype == np.uint8


def test_grey_is_repeated_and_alpha_dropped(tmp_path: Path) -> None:
    grey = noise(channels=1)[..., 0]
    image = load_image(tmp_path / "a", encoded(Image.fromarray(grey), "TIFF"))
    assert all(np.array_equal(image[..., channel], grey) for channel in range(3))
    transparent = np.dstack([noise(), np.zeros((30, 20), np.uint8)])
    assert np.array_equal(load_image(tmp_path / "a", encoded(Image.fromarray(transparent), "PNG")), noise())


def test_the_array_may_be_written_to(tmp_path: Path) -> None:
    image = load_image(tmp_path / FINGER, encoded(Image.fromarray(framed(noise())), "BMP"))
    image[0, 0] = 0


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "PPM"])
def test_a_file_cut_short_anywhere_is_an_error_or_whole(tmp_path: Path, kind: str) -> None:
    whole = encoded(Image.fromarray(noise()), kind)
    expected = load_image(tmp_path / "a", whole)
    n_errors = 0
    for n in range(0, len(whole), 7):
        try:
            assert np.array_equal(load_image(tmp_path / "a", whole[:n]), expected)
        except MmbioError as error:
            assert str(tmp_path / "a") in str(error)
            n_errors += 1
    assert n_errors >= len(range(0, len(whole), 7)) - 20  # a checksum or directory at the end may go unmissed


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "a.jpg: cannot be read"),
        (b"", "a.jpg: zero bytes where an image was expected"),
        (b"not an image at all", "a.jpg: cut short or not an image"),
        (b"P6 99999 99999 255 ", "a.jpg: an image too large"),
        (b"P5 4 x 255 ", "a.jpg: cut short or not an image"),
        (encoded(Image.fromarray(np.zeros((2, 2), np.uint16)), "PNG"), "mode I;16 where 8 bits a channel"),
    ],
)
def test_what_is_no_image_is_one_sentence(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MmbioError, match=told):
        load_image(path)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        (FINGER, (97, 90)),
        ("600__M_Right_little_finger_Zcut.bmp", (97, 90)),
        ("101_1.tif", (103, 96)),
        ("finger.bmp", (103, 96)),
    ],
)
def test_only_socofing_loses_its_frame(tmp_path: Path, name: str, shape: tuple[int, int]) -> None:
    image = framed(noise(97, 90))
    loaded = load_image(tmp_path / name, encoded(Image.fromarray(image), "BMP"))
    assert loaded.shape[:2] == shape
    if shape == (97, 90):
        assert np.array_equal(loaded, noise(97, 90))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (5, 9), (40, 30)])
def test_trim_leaves_something_of_a_blank_image_and_all_of_noise(shape: tuple[int, int]) -> None:
    assert min(trim(np.zeros((*shape, 3), np.uint8)).shape) > 0
    if shape == (40, 30):
        assert np.array_equal(trim(noise(*shape)), noise(*shape))


def test_warp_by_nothing_changes_nothing() -> None:
    assert np.array_equal(warp(noise()), noise())


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        (lambda image: warp(image, 180.0), lambda image: image[::-1, ::-1]),
        (lambda image: warp(image, 90.0), lambda image: np.rot90(image, -1)),
        (lambda image: warp(image, shift=(0.25, 0.0))[:, 5:], lambda image: image[:, :15]),
        (lambda image: warp(image, shift=(0.0, -0.5))[:10], lambda image: image[10:]),
        (lambda image: warp(image, cut=(0.5, 0.5), place=(0.0, 0.0))[19, 19], lambda image: image[9, 9]),
    ],
)
def test_warp_by_hand(
    turned: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], expected: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    smooth = np.repeat(np.add.outer(np.arange(20), 10 * np.arange(20))[..., None], 3, axis=2).astype(np.uint8)
    difference = turned(smooth).astype(int) - expected(smooth)
    assert np.abs(difference).max() <= 4


def test_corners_get_the_median_of_the_border() -> None:
    image = np.full((40, 40, 3), (10, 20, 30), np.uint8)
    image[1:-1, 1:-1] = 200
    assert warp(image, 45.0)[0, 0].tolist() == [10, 20, 30]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.integers(2, 40))
def test_a_seed_fixes_the_augmentation_and_the_size_stays(seed: int, height: int, width: int) -> None:
    image = noise(height, width)
    first, second = augment(image, seed), augment(image, seed)
    assert first.shape == image.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)


def test_other_seeds_give_other_images_and_grey_stays_grey() -> None:
    grey = np.repeat(noise(channels=1), 3, axis=2)
    images = [augment(grey, [seed, 3]) for seed in range(20)]
    assert len({image.tobytes() for image in images}) == 20
    assert all((image == image[..., :1]).all() for image in images)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("faces94/female/anpage/anpage.1.jpg", (200, 180, 3)), ("fvc2000/DB1_B/101_1.tif", (300, 300, 3))],
)
def test_real_images(name: str, shape: tuple[int, int, int]) -> None:
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not there")
    assert load_image(DATA / name).shape == shape
