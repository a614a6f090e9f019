"""ResNet-50 up to its average pool: images -> 2,048 numbers (multitask paper, "Feature extraction")."""

import io
import logging
import shutil
import socket
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.error import URLError

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import ResNet50_Weights, resnet50
from torchvision.models.resnet import Bottleneck, ResNet

from mmbio.embed.backbones import onednn, pickled
from mmbio.embed.global_rng import lent
from mmbio.embed.settings import threads
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash

DIM: Final = 2048
SIZE: Final = 224  # pixels on each side
BATCH: Final = 32  # images of a shard; batches are padded, so that a vector does not depend on its company
CUDA_BATCH: Final = 256
PACKED_BATCH: Final = 8  # more images' maps do not stay in the caches, fewer read the weights too often
COMPILE_FROM: Final = 5000  # images; below it the 40 s of compiling are not earned back
RANDOM_SEED: Final = 0
LARGEST: Final = 1 << 30  # bytes of a file of weights; a ResNet-50 has a tenth of it
IMAGENET: Final = ResNet50_Weights.IMAGENET1K_V1
DTYPES: Final = MappingProxyType({"fp32": torch.float32, "bf16": torch.bfloat16})
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)
_log: Final = logging.getLogger(__name__)


class ResNet50:
    """A frozen ResNet-50; `embed` maps uint8 images to vectors, one batch after another.

    `packed`: batches side by side on `threads()` threads, each on a core of its own, which no other work can hold up;
    `compiled` and `eager`: one batch on all of them, or on a GPU.
    """

    def __init__(self, weights: str, precision: str, device: str, execution: str = "eager") -> None:
        self.dtype = DTYPES[precision]
        self.device = torch.device(device)
        self.batch = PACKED_BATCH if execution == "packed" else batch_of(device)
        network = fold_batch_norms(_load(weights).eval())
        self._each: Callable[..., Iterable[np.ndarray]] = map
        if execution == "packed":
            self._maps = onednn.packed(network, self.batch, SIZE, self.dtype)
            self._each = ThreadPoolExecutor(threads(), initializer=torch.set_num_threads, initargs=(1,)).map
        else:
            network.avgpool, network.fc = nn.Identity(), nn.Identity()
            network.to(self.device, self.dtype, memory_format=torch.channels_last)
            self._maps = lambda x: network(x).view(len(x), DIM, SIZE // 32, SIZE // 32)
        self._mean, self._std = (255 * torch.tensor(of, device=self.device).repeat(SIZE) for of in (MEAN, STD))
        self._network = torch.compile(self._vectors) if execution == "compiled" else self._vectors

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Vectors (n, 2048) float32 of images (n, 224, 224, 3) uint8."""
        batches = [images[i : i + self.batch] for i in range(0, len(images), self.batch)]
        return np.concatenate(list(self._each(self._embed, batches)))

    @torch.inference_mode()
    def _embed(self, images: np.ndarray) -> np.ndarray:
        padded = torch.zeros((self.batch, SIZE, SIZE, 3), dtype=torch.uint8, pin_memory=self.device.type == "cuda")
        padded[: len(images)] = torch.from_numpy(images)
        vectors: Tensor = self._network(padded.to(self.device, non_blocking=True))
        return np.asarray(vectors[: len(images)].cpu())

    def _vectors(self, pixels: Tensor) -> Tensor:
        """The pool is taken in float32: in bfloat16 the small differences between images would be rounded off."""
        rows = pixels.view(len(pixels), SIZE, SIZE * 3)  # (B, 224, 672): long rows for the processor's vectors
        scaled = rows.float().sub_(self._mean).div_(self._std).to(self.dtype)
        maps = self._maps(scaled.view(pixels.shape).permute(0, 3, 1, 2))  # (B, 2048, 7, 7), channels last
        return maps.float().mean((2, 3))


@lru_cache(maxsize=1)
def opened(weights: str, of: tuple[str, int], precision: str, device: str, execution: str) -> ResNet50:  # noqa: ARG001
    """The network of some weights, kept for the next extraction; `of` is what a changed file or size differs in."""
    return ResNet50(weights, precision, device, execution)


def execution_of(precision: str, device: str, n: int) -> str:
    """How the vectors of `n` images are best computed here: `packed`, `compiled` or `eager`."""
    if device == "cpu" and onednn.available(DTYPES[precision]):
        return "packed"
    return "compiled" if n >= COMPILE_FROM and can_compile() else "eager"


def batch_of(device: str) -> int:
    """How many images make a batch of a device, and a shard."""
    return CUDA_BATCH if device.startswith("cuda") else BATCH


def resize(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) uint8 at 224 x 224, bilinear."""
    return np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def weights_id(weights: str) -> str:
    """How result rows name the weights: `imagenet1k-v1`, `random-0`, or a hash of the file."""
    if weights == "imagenet":
        return "imagenet1k-v1"
    if weights == "random":
        return f"random-{RANDOM_SEED}"
    try:
        return f"file-{bytes_hash(Path(weights).read_bytes())}"
    except OSError as error:
        raise MmbioError(
            f"--weights {weights}: expected imagenet, random, or the path of a ResNet-50 state dict ({error.strerror})"
        ) from error


def can_compile() -> bool:
    """True where torch.compile has what it needs: a C++ compiler and Python's headers."""
    headers = Path(sysconfig.get_path("include")) / "Python.h"
    return headers.is_file() and any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++"))


def fold_batch_norms(network: ResNet) -> ResNet:
    """Fold each batch norm into the convolution before it: the same function in fewer passes over memory."""
    network.conv1, network.bn1 = fuse_conv_bn_eval(network.conv1, network.bn1), nn.Identity()
    for block in network.modules():
        if isinstance(block, Bottleneck):
            for k in "123":
                fused = fuse_conv_bn_eval(getattr(block, f"conv{k}"), getattr(block, f"bn{k}"))
                setattr(block, f"conv{k}", fused)
                setattr(block, f"bn{k}", nn.Identity())
            if block.downsample is not None:
                block.downsample = nn.Sequential(fuse_conv_bn_eval(*block.downsample))
    return network


def _load(weights: str) -> ResNet:
    """A ResNet-50; random weights are torchvision's own initialisation, untouched, from a fixed seed."""
    with lent(RANDOM_SEED):
        network: ResNet = resnet50(weights=None)
    if weights != "random":
        try:
            network.load_state_dict(_imagenet() if weights == "imagenet" else _from_file(weights))
        except RuntimeError as error:
            raise MmbioError(
                f"--weights {weights}: not the state dict of torchvision's resnet50; give one saved from that model"
            ) from error
    return network


def _imagenet() -> dict[str, Tensor]:
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(IMAGENET.url).name
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        if not cached.is_file():
            _log.warning("fetching the ImageNet weights of ResNet-50 (100 MB) to %s", cached)
        with redirect_stderr(io.StringIO()):  # torch's own line
            state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
                IMAGENET.url, progress=False, check_hash=True, weights_only=True
            )
    except (HTTPException, URLError, OSError, RuntimeError) as error:
        raise MmbioError(
            f"ImageNet weights: no file at {cached} and no download ({error});"
            " put the file there or give it with --weights PATH, or choose --weights random"
        ) from error
    finally:
        socket.setdefaulttimeout(before)
    return state


def _from_file(weights: str) -> dict[str, Tensor]:
    import pickle
    import struct
    import tarfile
    import zipfile

    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if weights.endswith(".safetensors"):
            return dict(load_file(weights))
        if Path(weights).stat().st_size > LARGEST:
            raise ValueError("larger than any ResNet-50")
        content = Path(weights).read_bytes()
        pickled.check(content)
        with warnings.catch_warnings(action="ignore"):  # of a pickle's protocol, which the sentence below tells
            # Of bytes in memory no more is read than there are, whatever lengths stand in them.
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
            raise TypeError("not a dict of tensors")
    except (
        *(OSError, RuntimeError, SafetensorError, pickle.UnpicklingError, struct.error),
        *(EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError),
        *(MemoryError, RecursionError, OverflowError, zipfile.BadZipFile, tarfile.TarError),  # from broken pickles
    ) as error:
        raise MmbioError(
            f"--weights {weights}: not a readable state dict; give a .pth or .safetensors file that holds one"
        ) from error
    return {str(name): value for name, value in state.items()}


def stack(images: Sequence[np.ndarray]) -> np.ndarray:
    """Images of any sizes as one array (n, 224, 224, 3)."""
    return np.stack([resize(image) for image in images])
