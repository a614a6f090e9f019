"""dlib's faces: the package's own path, a row a chip whatever its company, and none where no face is."""

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mmbio.data.images import load_image
from mmbio.embed.backbones import dlib_face
from mmbio.embed.backbones.dlib_face import DIM, LANDMARKS, NETWORK, Face, align, weights_file, weights_id
from mmbio.errors import MmbioError

dlib = pytest.importorskip("dlib")
CACHED = (dlib_face._dlib, dlib_face._network, dlib_face._landmarks, dlib_face._detector, weights_id)


def chips(n: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (n, 150, 150, 3), dtype=np.uint8)


@pytest.fixture
def faces(real_data: Path) -> list[NDArray[np.uint8]]:
    """Two images of one real subject and one of another."""
    folder = real_data / "faces94" / "female"
    first, second = sorted(entry for entry in folder.iterdir() if entry.is_dir())[:2]
    paths = [*sorted(first.glob("*.jpg"))[:2], *sorted(second.glob("*.jpg"))[:1]]
    return [load_image(path) for path in paths]


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing loaded yet, before and after."""
    for cached in CACHED:
        cached.cache_clear()
    yield
    for cached in CACHED:
        cached.cache_clear()


def test_a_row_a_chip_whatever_its_company_and_nan_where_there_is_none() -> None:
    face, (first, second, third) = Face("cpu"), chips()
    found = face.embed([first, None, second, third])
    assert found.shape == (4, DIM)
    assert found.dtype == np.float32
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False]
    assert np.array_equal(face.embed([second])[0], found[2])
    assert len(np.unique(found[[0, 2, 3]], axis=0)) == 3


@pytest.mark.parametrize("n", [0, 2])
def test_without_any_chip(n: int) -> None:
    found = Face("cuda").embed([None] * n)
    assert found.shape == (n, DIM)
    assert np.isnan(found).all()


def test_workers_change_nothing() -> None:
    given = [*chips(), None]
    assert np.array_equal(Face("cpu", workers=2).embed(given), Face("cpu").embed(given), equal_nan=True)


def test_chips_may_lie_anyhow_in_memory() -> None:
    chip = chips(1)[0]
    assert np.array_equal(Face("cpu").embed([np.asfortranarray(chip)]), Face("cpu").embed([chip]))


@pytest.mark.parametrize(
    ("chip", "told"),
    [
        (np.zeros((160, 160, 3), np.uint8), r"not \(160, 160, 3\) uint8"),
        (np.zeros((150, 150), np.uint8), r"not \(150, 150\) uint8"),
        (np.zeros((150, 150, 3), np.float32), r"not \(150, 150, 3\) float32"),
        ("chip", "not str"),
    ],
)
def test_what_is_no_chip(chip: NDArray[np.uint8], told: str) -> None:
    with pytest.raises(ValueError, match=rf"expected a chip \(150, 150, 3\) uint8, {told}"):
        Face("cpu").embed([chip])


@pytest.mark.parametrize("image", [np.zeros((200, 180, 3), np.uint8), chips(1)[0], np.zeros((1, 1, 3), np.uint8)])
def test_no_face_no_chip(image: NDArray[np.uint8]) -> None:
    assert align(image) is None


def test_chips_are_the_networks_own(faces: list[NDArray[np.uint8]]) -> None:
    network = dlib.face_recognition_model_v1(str(weights_file(NETWORK)))
    landmarks = dlib.shape_predictor(str(weights_file(LANDMARKS)))
    for image in faces:
        chip = align(image)
        assert chip is not None
        assert chip.shape == (150, 150, 3)
        assert chip.dtype == np.uint8
        box = dlib.get_frontal_face_detector()(image, 0)[0]
        own = np.array(network.compute_face_descriptor(image, landmarks(image, box)), np.float32)
        assert np.array_equal(Face("cpu").embed([chip])[0], own)


def test_one_subject_is_more_alike_than_two(faces: list[NDArray[np.uint8]]) -> None:
    vectors = Face("cpu").embed([align(image) for image in faces])
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.02


def test_the_largest_face_is_taken(faces: list[NDArray[np.uint8]]) -> None:
    large, small = np.array(Image.fromarray(faces[0]).resize((360, 400))), faces[2]
    both = np.zeros((400, 540, 3), np.uint8)
    both[:200, :180] = small
    both[:, 180:] = large
    first, second, found = (align(image) for image in (large, small, both))
    assert first is not None and second is not None and found is not None
    vectors = Face("cpu").embed([first, second, found])
    assert np.linalg.norm(vectors[0] - vectors[2]) < 0.3 < np.linalg.norm(vectors[1] - vectors[2])


def test_a_small_face_is_found_at_twice_the_size(faces: list[NDArray[np.uint8]]) -> None:
    small = np.array(Image.fromarray(faces[0]).resize((63, 70)))
    assert not dlib.get_frontal_face_detector()(small, 0)
    chip = align(np.asfortranarray(small), 160)
    assert chip is not None
    assert chip.shape == (160, 160, 3)


def test_weights_are_named_by_their_content_and_their_package_is_not_imported(fresh: None) -> None:
    assert len(weights_id()) == 16
    assert set(weights_id()) <= set("0123456789abcdef")
    assert "face_recognition_models" not in sys.modules


def missing(*_: object) -> None:
    raise PackageNotFoundError


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [
        ("version", missing, "dlib-bin"),
        ("find_spec", lambda _: None, "face-recognition-models"),
        ("NETWORK", "nothing.dat", "face-recognition-models"),
    ],
)
def test_a_package_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, fresh: None, name: str, value: object, package: str
) -> None:
    monkeypatch.setattr(dlib_face, name, value)
    with pytest.raises(MmbioError, match=rf"{package}, which is not installed; pip install 'mmbio\[face\]'"):
        Face("cpu")
