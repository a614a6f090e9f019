"""Extractors: how samples of each kind become vectors, one for each backbone; `extract` runs them.

An extractor opens the sample behind an item, degrades it as the condition says, and maps a shard of them
to vectors. A row of NaN says that nothing could be acquired, such as where no face was found.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np

from mmbio.data import corrupted
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings, device_of, precision_of, threads
from mmbio.errors import MmbioError
from mmbio.protocols import PROTOCOLS

Noise = tuple[str, float] | None  # kind and level
Load = Callable[[int], Any]  # row -> the sample as the network takes it
Embed = Callable[[Sequence[Any]], np.ndarray]  # samples -> (n, dim)


class Extractor(Protocol):
    """What `extract` needs of a backbone on the samples of one modality."""

    manifest: Manifest
    modality: str
    noise: Noise
    settings: Settings

    @property
    def dim(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def code(self) -> tuple[str, ...]: ...
    @property
    def libraries(self) -> tuple[str, ...]: ...
    @property
    def key(self) -> dict[str, Any]: ...
    def load(self) -> Load: ...
    def open(self) -> Embed: ...


@dataclass(frozen=True)
class _Base:
    manifest: Manifest
    modality: str
    noise: Noise
    settings: Settings

    @cached_property
    def device(self) -> str:
        return device_of(self.settings.device)


@dataclass(frozen=True)
class Images(_Base):
    """ResNet-50 on augmented images."""

    code = (
        *("data/images.py", "data/noise.py", "data/corrupted.py"),
        *("embed/backbones/resnet50.py", "embed/backbones/onednn.py"),
    )
    libraries = ("numpy", "pillow", "torch", "torchvision")

    @property
    def dim(self) -> int:
        from mmbio.embed.backbones import resnet50

        return resnet50.DIM

    @property
    def batch(self) -> int:
        from mmbio.embed.backbones import resnet50

        return resnet50.batch_of(self.device)

    @cached_property
    def key(self) -> dict[str, Any]:
        from mmbio.embed.backbones import resnet50

        precision = precision_of(self.settings.precision, self.device)
        return {
            "weights": resnet50.weights_id(weights_of(self.manifest, self.settings)),
            "precision": precision,
            "execution": resnet50.execution_of(precision, self.device, len(self.manifest.items)),
        }

    def load(self) -> Load:
        paths = self.manifest.paths(self.modality)
        if self.noise is not None and self.noise[0] != "black":
            raise MmbioError(
                f"condition '{self.modality}={self.noise[0]}:{self.noise[1]:g}': belongs to aligned faces;"
                f" for resnet50 give {self.modality}=LEVEL, a share of black pixels"
            )
        from mmbio.embed.backbones.resnet50 import resize

        level = self.noise[1] if self.noise else 0.0
        return lambda row: resize(corrupted.image(self.manifest, self.modality, row, level, paths))

    def open(self) -> Embed:
        from mmbio.embed.backbones.resnet50 import SIZE, opened

        key, weights = self.key, weights_of(self.manifest, self.settings)
        network = opened(weights, (key["weights"], SIZE), key["precision"], self.device, key["execution"])
        return lambda images: network.embed(np.stack(images))


@dataclass(frozen=True)
class Chips(_Base):
    """dlib's or FaceNet's network on aligned faces; the face is found before the chip is degraded."""

    @property
    def _module(self) -> Any:
        from mmbio.embed.backbones import dlib_face, facenet

        return {"dlib": dlib_face, "facenet": facenet}[backbone_of(self.manifest, self.modality, self.settings)]

    @property
    def code(self) -> tuple[str, ...]:
        module = self._module.__name__.rpartition(".")[2]
        return (
            *("data/images.py", "data/noise.py", "data/degrade.py", "data/corrupted.py"),
            *("embed/backbones/dlib_face.py", f"embed/backbones/{module}.py"),
        )

    @property
    def libraries(self) -> tuple[str, ...]:
        return (*self._module.LIBRARIES, "pillow")

    @property
    def dim(self) -> int:
        return int(self._module.DIM)

    @property
    def batch(self) -> int:
        return int(self._module.BATCH)

    @property
    def key(self) -> dict[str, Any]:
        return {"weights": f"{self._module.NAME}-{self._module.weights_id()}", "precision": "fp32"}

    def load(self) -> Load:
        paths, align = self.manifest.paths(self.modality), self._module.align
        return lambda row: corrupted.chip(self.manifest, row, self.noise, paths, align)

    def open(self) -> Embed:
        module = self._module
        network = module.Face(self.device, threads()) if module.NAME == "dlib" else module.Face(self.device)
        embed: Embed = network.embed
        return embed


@dataclass(frozen=True)
class Segments(_Base):
    """Resemblyzer on segments of speech."""

    code = ("data/audio.py", "data/av_files.py", "data/corrupted.py", "embed/backbones/resemblyzer.py")

    @property
    def libraries(self) -> tuple[str, ...]:
        from mmbio.embed.backbones import resemblyzer

        return resemblyzer.LIBRARIES

    @property
    def dim(self) -> int:
        from mmbio.embed.backbones import resemblyzer

        return resemblyzer.DIM

    @property
    def batch(self) -> int:
        from mmbio.embed.backbones import resemblyzer

        return resemblyzer.BATCH

    @property
    def key(self) -> dict[str, Any]:
        from mmbio.embed.backbones import resemblyzer

        weights = f"{resemblyzer.NAME}-{resemblyzer.weights_id()}"
        return {"weights": weights, "precision": "fp32", "segment_s": self._seconds}

    @property
    def _seconds(self) -> float:
        if self.settings.segment_s is None:
            raise ValueError("segments of speech have a length")
        return self.settings.segment_s

    def load(self) -> Load:
        paths = self.manifest.paths(self.modality)
        return lambda row: corrupted.speech(self.manifest, row, self._seconds, self.noise, paths)

    def open(self) -> Embed:
        from mmbio.embed.backbones.resemblyzer import Voice

        return Voice(self.device).embed


EXTRACTORS: Final[Mapping[str, type[_Base]]] = MappingProxyType(
    {"resnet50": Images, "dlib": Chips, "facenet": Chips, "resemblyzer": Segments}
)
OF: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"ecg": ("beats",), "face": ("resnet50", "dlib", "facenet"), "finger": ("resnet50",), "voice": ("resemblyzer",)}
)


def backbone_of(manifest: Manifest, modality: str, settings: Settings) -> str:
    """The backbone of a modality: `beats` and `vectors` are there already, the others extract.

    Raises MmbioError for one that there is not.
    """
    if "vectors" in manifest.info["sources"][modality]:
        return "vectors"
    given = dict(settings.backbones).get(modality)
    name = given or PROTOCOLS[str(manifest.info["protocol"])].backbones[modality]
    if name not in OF[modality]:
        raise MmbioError(f"--backbone {modality}={name}: expected one of {', '.join(OF[modality])}")
    return name


def extractor(manifest: Manifest, modality: str, noise: Noise, settings: Settings) -> Extractor:
    """The extractor of a modality."""
    made: Any = EXTRACTORS[backbone_of(manifest, modality, settings)](manifest, modality, noise, settings)
    return made  # type: ignore[no-any-return]


def weights_of(manifest: Manifest, settings: Settings) -> str:
    """The ResNet-50 weights behind `auto`: random on the synthetic root, which needs no network, else imagenet."""
    if settings.weights != "auto":
        return settings.weights
    return "random" if manifest.is_synthetic else "imagenet"
