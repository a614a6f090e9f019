"""extract: a manifest's samples under noise -> vectors in a store, each shard a pure function of its inputs."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.code import code_hashes, library_versions
from mmbio.data import manifest as manifests
from mmbio.data.manifest import Manifest
from mmbio.embed.decode import decoded
from mmbio.embed.extractors import Embed, Extractor, Noise, backbone_of, extractor
from mmbio.embed.settings import Settings, device_of, threads
from mmbio.embed.store import Store
from mmbio.errors import MmbioError
from mmbio.files import content_hash, locked, write_json
from mmbio.report import Report, silent
from mmbio.workers import cluster
from mmbio.workers.cluster import Cluster, Task
from mmbio.workers.worker import unlike

MOST_AT_ONCE: Final = 4  # shards a worker gets at once, so that it decodes one while the network has another
FEW: Final = 32  # shards: for each so many a worker gets one more at once


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
    fill(job, rows, report)
    return job.store.read(rows)


def fill(job: Job, rows: np.ndarray, report: Report = silent) -> None:
    """Extract the shards of `rows` that no earlier run has written, here or on workers where there are some."""
    store = job.store
    with locked(store.folder.with_name(f".{store.folder.name}.lock")):
        store.create()
        shards = store.missing(rows)
        if not shards:
            return
        write_json(store.folder / "key.json", job.key)
        workers = cluster.active()
        if workers is not None:
            with closing(_on_workers(workers, job, shards)) as computed:
                _write(job, shards, computed, report)
            return
        from mmbio.embed.cores import all_cores

        with all_cores():
            _write(job, shards, vectors_of(job, shards, job.extractor.open()), report)


def vectors_of(job: Job, shards: Sequence[int], embed: Embed) -> Iterator[tuple[int, np.ndarray]]:
    """(shard, its vectors (n, dim)) of each shard; NaN where an item has no sample."""
    for shard, places, samples in decoded(job, shards):
        vectors = np.full((len(job.store.rows_of(shard)), job.store.dim), np.nan, dtype=np.float32)
        if samples:
            vectors[places] = embed(samples)
        yield shard, vectors


def _write(job: Job, shards: Sequence[int], computed: Iterable[tuple[int, np.ndarray]], report: Report) -> None:
    total = sum(len(job.store.rows_of(shard)) for shard in shards)
    done = 0
    for shard, vectors in computed:
        job.store.write(shard, vectors)
        done += len(vectors)
        report(f"extracting {job.modality}", done, total)


@dataclass(frozen=True)
class Told:
    """What a worker is told of a job; small, whatever the size of the manifest."""

    folder: Path  # of the manifest
    hash: str
    modality: str
    noise: Noise
    settings: Settings

    @classmethod
    def of(cls, job: Job) -> "Told":
        """What a worker is told of this job."""
        manifest = job.manifest
        return cls(manifest.folder.resolve(), manifest.hash, job.modality, job.noise, absolute(job.settings))


def absolute(settings: Settings) -> Settings:
    """Settings with absolute paths, for a worker may stand elsewhere."""
    file = Path(settings.weights)
    weights = str(file.resolve()) if file.is_file() else settings.weights
    return replace(settings, home=settings.home.resolve(), weights=weights)


def _on_workers(workers: Cluster, job: Job, shards: Sequence[int]) -> Generator[tuple[int, np.ndarray], None, None]:
    size = min(MOST_AT_ONCE, 1 + len(shards) // FEW)
    groups = [shards[start : start + size] for start in range(0, len(shards), size)]
    told = Told.of(job)
    found = workers.each("shard", computed_on_worker, [Task((told, job.key, g), len(g)) for g in groups])
    with closing(found):
        for group, vectors in zip(groups, found, strict=True):
            yield from zip(group, vectors, strict=True)


def computed_on_worker(told: Told, key: dict[str, Any], shards: Sequence[int]) -> list[np.ndarray]:
    """The vectors of some shards, computed on a worker; raises MmbioError where its key of the job would differ."""
    job, embed = _opened(told)
    if job.key != key:
        raise unlike(f"vectors of {told.modality}", job.key, key)
    from mmbio.embed.cores import all_cores

    with all_cores():
        return [vectors for _, vectors in vectors_of(job, shards, embed)]


@lru_cache(maxsize=1)
def _opened(told: Told) -> tuple[Job, Embed]:
    """A job with its network, kept for the next shards."""
    job = Job(manifest_at(told.folder, told.hash), told.modality, told.noise, told.settings)
    return job, job.extractor.open()


@lru_cache(maxsize=4)
def manifest_at(folder: Path, wanted: str) -> Manifest:
    """The manifest of this hash on a worker; raises MmbioError where it is not at the same path there."""
    if not folder.is_dir():
        raise MmbioError(f"{folder}: not there on the worker; workers need the home folder and the data at the same"
                         " paths as this machine")  # fmt: skip
    found = manifests.read(folder)
    if found.hash != wanted:
        raise MmbioError(f"{folder}: another manifest on the worker ({found.hash[:8]}, here {wanted[:8]}); workers need"
                         " the home folder and the data at the same paths as this machine")  # fmt: skip
    return found
