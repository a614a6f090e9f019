"""extract: a manifest's samples under noise -> vectors in a store, each shard a pure function of its inputs."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from mmbio.code import code_hashes, library_versions
from mmbio.data.manifest import Manifest
from mmbio.embed.extractors import Extractor, Noise, backbone_of, extractor
from mmbio.embed.settings import Settings, device_of, threads
from mmbio.embed.store import Store
from mmbio.files import content_hash, locked, write_json
from mmbio.report import Report, silent

DECODERS = 2
AHEAD = 2  # shards decoded before they are wanted


@dataclass(frozen=True)
class Job:
    """The samples of one modality of a manifest under one noise."""

    manifest: Manifest
    modality: str
    noise: Noise
    settings: Settings

    @cached_property
    def extractor(self) -> Extractor:
        return extractor(self.manifest, self.modality, self.noise, self.settings)

    @cached_property
    def key(self) -> dict[str, Any]:
        """Everything that determines the vectors."""
        return {
            "code": code_hashes(self.extractor.code),
            "libraries": library_versions(self.extractor.libraries),
            "backbone": backbone_of(self.manifest, self.modality, self.settings),
            **self.extractor.key,
            "device": device_of(self.settings.device).partition(":")[0],
            "threads": threads(),
            "modality": self.modality,
            "items": self.manifest.items_hash(self.modality),
            "n": len(self.manifest.items),
            "noise": [*self.noise, self.manifest.info["seed"]] if self.noise else None,
        }

    @cached_property
    def store(self) -> Store:
        folder = self.settings.home / "store" / f"{self.modality}-{content_hash(self.key)}"
        return Store(folder, len(self.manifest.items), self.extractor.dim, self.extractor.batch)

    def missing(self, rows: np.ndarray) -> int:
        """How many samples have to be extracted before `rows` can be read."""
        return sum(len(self.store.rows_of(s)) for s in self.store.missing(rows))


def extract(job: Job, rows: np.ndarray, report: Report = silent) -> np.ndarray:
    """The vectors (n, dim) of `rows`, extracting the shards that no earlier run has written.

    Two runs on one store wait for each other. Raises MmbioError for a sample that cannot be used.
    """
    store = job.store
    with locked(store.folder.with_name(f".{store.folder.name}.lock")):
        store.create()
        shards = store.missing(rows)
        if shards:
            write_json(store.folder / "key.json", job.key)
            from mmbio.embed.cores import all_cores

            with all_cores():
                _fill(job, shards, report)
    return store.read(rows)


def _fill(job: Job, shards: Sequence[int], report: Report) -> None:
    embed = job.extractor.open()
    total = sum(len(job.store.rows_of(shard)) for shard in shards)
    done = 0
    for shard, rows, samples in _decoded(job, shards):
        vectors = np.full((len(job.store.rows_of(shard)), job.store.dim), np.nan, dtype=np.float32)
        if samples:
            vectors[rows] = embed(samples)
        job.store.write(shard, vectors)
        done += len(vectors)
        report(f"extracting {job.modality}", done, total)


def _decoded(job: Job, shards: Sequence[int]) -> Iterator[tuple[int, list[int], list[Any]]]:
    """(shard, places in it that have a sample, samples), decoded on threads while the network works."""
    load, there = job.extractor.load(), job.manifest.has(job.modality)

    def shard_of(shard: int) -> tuple[list[int], list[Any]]:
        rows = [(place, row) for place, row in enumerate(job.store.rows_of(shard)) if there[row]]
        return [place for place, _ in rows], [load(row) for _, row in rows]

    with ThreadPoolExecutor(DECODERS) as pool:
        waiting: list[tuple[int, Future[tuple[list[int], list[Any]]]]] = []
        queue = iter(shards)
        waiting += [(shard, pool.submit(shard_of, shard)) for shard in islice(queue, AHEAD)]
        while waiting:
            shard, future = waiting.pop(0)
            places, samples = future.result()
            waiting += [(later, pool.submit(shard_of, later)) for later in islice(queue, 1)]
            yield shard, places, samples
