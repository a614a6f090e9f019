"""Faces by dlib: an image -> an aligned chip -> 128 numbers (audio-visual paper, "Voice and Face Representations").

The paper re-aligns faces with dlib's detector and landmarks; its vectors are FaceNet's (facenet.py),
and dlib's stand in for them where only weights inside registry packages are to be had.
dlib holds Python's lock while it works: threads gain nothing, so `Face` offers processes.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.workers import spawned

Pixels = NDArray[np.uint8]

NAME: Final = "dlib"
DIM: Final = 128
SIZE: Final = 150  # pixels on each side of a chip: what the network was trained on
PADDING: Final = 0.25  # around the face, as the network was trained
BATCH: Final = 32  # chips a shard
LIBRARIES: Final = ("dlib-bin", "face-recognition-models", "numpy")  # between an image and its vector
NETWORK: Final = "dlib_face_recognition_resnet_model_v1.dat"
LANDMARKS: Final = "shape_predictor_5_face_landmarks.dat"


class Face:
    """dlib's face network; `embed` maps chips to vectors."""

    def __init__(self, device: str, workers: int = 1) -> None:  # noqa: ARG002
        """Load the network here, or in `workers` processes where there are more than one; dlib-bin has no GPU code.

        A process that may have no children, such as a cluster's worker, does the work itself.

        Raises MmbioError where a package is not installed.
        """
        _network()
        apart = workers > 1 and not current_process().daemon
        self._pool = spawned.pool(workers) if apart else None

    def embed(self, chips: Sequence[Pixels | None]) -> NDArray[np.float32]:
        """Vectors (n, 128) float32 of chips (150, 150, 3) uint8, not of unit length; a row of NaN where a chip is None.

        A vector does not depend on its company or on the number of workers.
        """
        there = [i for i, chip in enumerate(chips) if chip is not None]
        vectors = np.full((len(chips), DIM), np.nan, dtype=np.float32)
        if there:
            given = [checked(chips[i], SIZE) for i in there]
            vectors[there] = list((self._pool.map if self._pool else map)(_descriptor, given))
        return vectors


def align(image: Pixels, size: int = SIZE) -> Pixels | None:
    """The chip (size, size, 3) of the largest face of an image (H, W, 3), upright and padded; None where none is found.

    Where the detector finds nothing it looks once more at twice the size. Raises MmbioError where a
    package is not installed.
    """
    dlib = _dlib()
    pixels = np.ascontiguousarray(image)
    faces = _detector()(pixels, 0) or _detector()(pixels, 1)
    if not faces:
        return None
    largest = max(faces, key=lambda face: int(face.area()))
    return np.asarray(dlib.get_face_chip(pixels, _landmarks()(pixels, largest), size, PADDING), dtype=np.uint8)


@cache
def weights_id() -> str:
    """16 hex digits over the files of the network and of the landmarks; the detector belongs to dlib's version."""
    return bytes_hash(weights_file(NETWORK).read_bytes(), weights_file(LANDMARKS).read_bytes())


def weights_file(name: str) -> Path:
    """A file of the package face-recognition-models, which is found and not imported: it wants pkg_resources."""
    spec = find_spec("face_recognition_models")
    folders = spec.submodule_search_locations if spec else None
    path = Path(folders[0]) / "models" / name if folders else None
    if path is None or not path.is_file():
        raise _not_installed("face-recognition-models")
    return path


def checked(chip: object, size: int) -> Pixels:
    """A chip as contiguous pixels; ValueError where it is not (size, size, 3) uint8."""
    if not isinstance(chip, np.ndarray) or chip.shape != (size, size, 3) or chip.dtype != np.uint8:
        found = f"{chip.shape} {chip.dtype}" if isinstance(chip, np.ndarray) else type(chip).__name__
        raise ValueError(f"expected a chip ({size}, {size}, 3) uint8, not {found}")
    return np.ascontiguousarray(chip)


def _descriptor(chip: Pixels) -> NDArray[np.float32]:
    return np.asarray(_network().compute_face_descriptor(chip), dtype=np.float32)


@cache
def _dlib() -> Any:
    try:
        version("dlib-bin")
        return import_module("dlib")
    except (PackageNotFoundError, ImportError) as error:
        raise _not_installed("dlib-bin") from error


@cache
def _network() -> Any:
    return _dlib().face_recognition_model_v1(str(weights_file(NETWORK)))


@cache
def _landmarks() -> Any:
    return _dlib().shape_predictor(str(weights_file(LANDMARKS)))


@cache
def _detector() -> Any:
    return _dlib().get_frontal_face_detector()


def _not_installed(package: str) -> MmbioError:
    return MmbioError(f"faces need the package {package}, which is not installed; pip install 'mmbio[face]'")
