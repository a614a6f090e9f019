"""extract: a manifest's images under a noise level -> vectors in a store, each shard a pure function of its inputs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from mmbio.code import code_hashes, library_versions
from mmbio.data import corrupted
from mmbio.data.manifest import Manifest
from mmbio.embed.settings import Settings, device_of, precision_of, threads
from mmbio.embed.store import Store
from mmbio.files import content_hash, locked, write_json
from mmbio.report import Report, silent

CODE = (
    "data/images.py",
    "data/noise.py",
    "data/corrupted.py",
    "embed/backbones/resnet50.py",
)  # between file and vector
LIBRARIES = ("numpy", "pillow", "torch", "torchvision")
DECODERS = 2
AHEAD = 2  # shards decoded before they are wanted


@dataclass(frozen=True)
class Job:
    """The images of one modality of a manifest under one level of noise."""

    manifest: Manifest
    modality: str
    level: float
    settings: Settings

    @cached_property
    def items(self) -> list[tuple[str, str]]:
        """(sample, draw) of each triplet."""
        triplets = self.manifest.triplets
        return list(zip(triplets[f"{self.modality}_sample"], triplets[f"{self.modality}_draw"], strict=True))

    @property
    def _items_hash(self) -> str:
        return self.manifest.items_hash(self.modality)

    @cached_property
    def key(self) -> dict[str, Any]:
        """Everything that determines the vectors."""
        from mmbio.embed.backbones import resnet50

        compiled = len(self.items) >= resnet50.COMPILE_FROM and resnet50.can_compile()
        device = device_of(self.settings.device)
        return {
            "code": code_hashes(CODE),
            "libraries": library_versions(LIBRARIES),
            "backbone": "resnet50",
            "weights": resnet50.weights_id(weights_of(self.manifest, self.settings)),
            "precision": precision_of(self.settings.precision, device),
            "device": device.partition(":")[0],
            "threads": threads(),
            "compiled": compiled,
            "modality": self.modality,
            "items": self._items_hash,
            "n": len(self.items),
            "noise": [self.level, self.manifest.info["seed"]] if self.level else None,
        }

    @cached_property
    def store(self) -> Store:
        from mmbio.embed.backbones import resnet50

        folder = self.settings.home / "store" / f"{self.modality}-{content_hash(self.key)}"
        return Store(folder, len(self.items), resnet50.DIM, resnet50.BATCH)

    def missing(self, rows: np.ndarray) -> int:
        """How many images have to be extracted before `rows` can be read."""
        return sum(len(self.store.rows_of(s)) for s in self.store.missing(rows))


def weights_of(manifest: Manifest, settings: Settings) -> str:
    """The weights behind `auto`: random on the synthetic root, which needs no network, imagenet on real data."""
    if settings.weights != "auto":
        return settings.weights
    return "random" if manifest.is_synthetic else "imagenet"


def extract(job: Job, rows: np.ndarray, report: Report = silent) -> np.ndarray:
    """The vectors (n, 2048) of `rows`, extracting the shards that no earlier run has written.

    Two runs on one store wait for each other. Raises MmbioError for an image that cannot be used.
    """
    store = job.store
    with locked(store.folder.with_name(f".{store.folder.name}.lock")):
        store.create()
        shards = store.missing(rows)
        if shards:
            write_json(store.folder / "key.json", job.key)
            _fill(job, shards, report)
    return store.read(rows)


def _fill(job: Job, shards: Sequence[int], report: Report) -> None:
    import torch

    from mmbio.embed.backbones.resnet50 import ResNet50

    torch.set_num_threads(threads())
    device = device_of(job.settings.device)
    weights = weights_of(job.manifest, job.settings)
    backbone = ResNet50(weights, job.key["precision"], device, job.key["compiled"])
    total = sum(len(job.store.rows_of(shard)) for shard in shards)
    done = 0
    for shard, images in _decoded(job, shards):
        job.store.write(shard, backbone.embed(images))
        done += len(images)
        report(f"extracting {job.modality}", done, total)


def _decoded(job: Job, shards: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
    """(shard, images), decoded on threads while the network works on the shard before."""
    from mmbio.embed.backbones.resnet50 import stack

    paths = job.manifest.paths(job.modality)

    def load(shard: int) -> np.ndarray:
        rows = job.store.rows_of(shard)
        return stack([corrupted.image(job.manifest, job.modality, row, job.level, paths) for row in rows])

    with ThreadPoolExecutor(DECODERS) as pool:
        waiting: list[tuple[int, Future[np.ndarray]]] = []
        queue = iter(shards)
        waiting += [(shard, pool.submit(load, shard)) for shard in islice(queue, AHEAD)]
        while waiting:
            shard, future = waiting.pop(0)
            images = future.result()
            waiting += [(later, pool.submit(load, later)) for later in islice(queue, 1)]
            yield shard, images
