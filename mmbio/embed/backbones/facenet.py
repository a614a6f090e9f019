"""FaceNet trained on CASIA-WebFace: a chip -> 512 numbers (audio-visual paper, "Voice and Face Representations").

The network is facenet-pytorch's port of the paper's; the chip is cut by dlib as in dlib_face.py, at
FaceNet's size. The package pins a torch older than ours, so it is installed without its dependencies.
"""

import socket
from collections.abc import Sequence
from functools import cache
from http.client import HTTPException
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mmbio.embed.backbones import dlib_face
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash

Pixels = NDArray[np.uint8]

NAME: Final = "facenet"
DIM: Final = 512
SIZE: Final = 160  # pixels on each side of a chip
BATCH: Final = 32  # every batch is padded to this, so that a vector does not depend on its company
LIBRARIES: Final = (*dlib_face.LIBRARIES, "facenet-pytorch", "torch")  # between an image and its vector
WEIGHTS: Final = "casia-webface"
FILE: Final = "20180408-102900-casia-webface.pt"  # as the package calls it
TIMEOUT: Final = 20  # seconds without a byte before a download is given up


class Face:
    """A frozen InceptionResnetV1; `embed` maps chips to vectors."""

    def __init__(self, device: str, weights: str = WEIGHTS) -> None:
        """Load the package's weights, or those of a state dict's path (.pt, .pth or .safetensors).

        Raises MmbioError where the package or its weights are not to be had.
        """
        import torch

        from mmbio.embed.global_rng import lent

        state = _state(weights)
        with lent():
            network = _package().InceptionResnetV1()
        try:
            network.load_state_dict({key: value for key, value in state.items() if not key.startswith("logits.")})
        except RuntimeError as error:
            raise MmbioError(
                f"--weights {weights}: not the state dict of facenet-pytorch's InceptionResnetV1;"
                " give one saved from that model"
            ) from error
        self.device = torch.device(device)
        self._network = network.eval().to(self.device)

    def embed(self, chips: Sequence[Pixels | None]) -> NDArray[np.float32]:
        """Vectors (n, 512) float32 of unit length of chips (160, 160, 3) uint8; a row of NaN where a chip is None."""
        there = [i for i, chip in enumerate(chips) if chip is not None]
        vectors = np.full((len(chips), DIM), np.nan, dtype=np.float32)
        for start in range(0, len(there), BATCH):
            rows = there[start : start + BATCH]
            vectors[rows] = self._embed([dlib_face.checked(chips[i], SIZE) for i in rows])
        return vectors

    def _embed(self, chips: Sequence[Pixels]) -> NDArray[np.float32]:
        import torch

        padded = np.zeros((BATCH, SIZE, SIZE, 3), dtype=np.uint8)
        padded[: len(chips)] = chips
        with torch.inference_mode():
            pixels = torch.from_numpy(padded).to(self.device).permute(0, 3, 1, 2)  # (B, 3, 160, 160)
            vectors = self._network(_package().fixed_image_standardization(pixels.float()))
        return np.asarray(vectors[: len(chips)].cpu(), dtype=np.float32)


def align(image: Pixels) -> Pixels | None:
    """The chip (160, 160, 3) of the largest face of an image (H, W, 3), as dlib cuts it; None where none is found."""
    return dlib_face.align(image, SIZE)


@cache
def weights_id(weights: str = WEIGHTS) -> str:
    """16 hex digits over the file of the weights and that of dlib's landmarks."""
    landmarks = dlib_face.weights_file(dlib_face.LANDMARKS)
    return bytes_hash(_file(weights).read_bytes(), landmarks.read_bytes())


def _state(weights: str) -> dict[str, Any]:
    from mmbio.embed.backbones.resnet50 import _from_file

    return dict(_from_file(str(_file(weights))))


def _file(weights: str) -> Path:
    """The file of the weights, downloaded by the package where they are its own and not there yet."""
    if weights != WEIGHTS:
        path = Path(weights)
        if not path.is_file():
            raise MmbioError(f"--weights {weights}: expected {WEIGHTS}, or the path of a FaceNet state dict")
        return path
    package = _package()
    path = Path(package.models.inception_resnet_v1.get_torch_home()) / "checkpoints" / FILE
    if not path.is_file():
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT)
        try:
            package.InceptionResnetV1(pretrained=WEIGHTS)
        except (HTTPException, OSError, RuntimeError) as error:  # URLError is an OSError
            raise MmbioError(
                f"FaceNet weights: no file at {path} and no download ({error});"
                " put the file there or give it with --weights PATH"
            ) from error
        finally:
            socket.setdefaulttimeout(before)
    return path


@cache
def _package() -> Any:
    try:
        version("facenet-pytorch")
        return import_module("facenet_pytorch")
    except (PackageNotFoundError, ImportError) as error:
        raise MmbioError(
            f"FaceNet needs the package facenet-pytorch, whose pins exclude a current torch ({error});"
            " pip install --no-deps facenet-pytorch and then pip install requests tqdm"
        ) from error
