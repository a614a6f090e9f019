"""piece: one checkpoint with its evaluations, computed as one, here or on a worker."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmbio.conditions import Condition
from mmbio.data.manifest import Manifest
from mmbio.embed.conditioned import jobs
from mmbio.embed.extract import Job, absolute, fill, manifest_at
from mmbio.embed.settings import Settings as Extraction
from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.fuse import fusions
from mmbio.fuse import run as fuse
from mmbio.fuse.config import Config
from mmbio.fuse.train import rows_needed
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.verify import Fitted, Options
from mmbio.report import Report, silent
from mmbio.workers.worker import unlike

SHARED_S: Final = 5.0  # for what another machine wrote to be seen here


@dataclass(frozen=True)
class Piece:
    """What is trained on which data, and the evaluations of it that are not finished."""

    manifest: Manifest
    config: Config
    extraction: Extraction
    options: Options
    evaluators: tuple[Evaluator, ...]

    @property
    def path(self) -> Path:
        """The checkpoint's file."""
        return fuse.plan(self.manifest, self.config, self.extraction).path

    @property
    def n_networks(self) -> int:
        return sum(len(fuse.partitions_of(self.manifest, member)) for member in self.config.members())

    @property
    def n_parameters(self) -> int:
        """Trainable numbers of its networks, one a modality of a score-level piece."""
        return sum(fuse.n_parameters_of(self.manifest, member, self.extraction) for member in self.config.members())

    def train(self, report: Report = silent) -> None:
        """Train the checkpoint unless it is there."""
        fuse.train(self.manifest, self.config, self.extraction, report)

    def members(self) -> list["Piece"]:
        """The trainings that a score-level checkpoint waits for, without evaluations; else none."""
        alone = self.config.members() if self.config.is_score_level else ()
        return [replace(self, config=member, evaluators=()) for member in alone]

    def reads(self) -> Iterator[tuple[Job, np.ndarray]]:
        """The vectors (job, rows) that training and evaluations read, so that they can be extracted before."""
        settings = fuse.extraction_of(self.config, self.extraction)
        parts = fuse.partitions_of(self.manifest, self.config)
        if not self.path.is_file():
            for job in jobs(self.manifest, self.config.condition, self.config.modalities, settings):
                yield job, rows_needed(parts)
        for evaluator in self.evaluators:
            for job in jobs(self.manifest, evaluator.condition, self.config.modalities, settings):
                yield job, np.unique(np.concatenate([part.test for part in parts]))


def extract(pieces: Sequence[Piece], report: Report = silent) -> None:
    """Extract what pieces read, each store once."""
    wanted: dict[Path, tuple[Job, np.ndarray]] = {}
    for piece in pieces:
        for job, rows in piece.reads():
            _, others = wanted.get(job.store.folder, (job, rows))
            wanted[job.store.folder] = job, np.union1d(rows, others)
    for job, rows in wanted.values():
        fill(job, rows, report)


@dataclass(frozen=True)
class Told:
    """What a worker is told of a piece; small, whatever the size of the data."""

    folder: Path  # of the manifest
    hash: str
    config: Config
    extraction: Extraction
    options: Options
    conditions: tuple[Condition, ...]
    key: dict[str, Any]  # of the checkpoint

    @classmethod
    def of(cls, piece: Piece) -> "Told":
        """What a worker is told of this piece."""
        manifest = piece.manifest
        key = fuse.plan(piece.manifest, piece.config, piece.extraction).key
        conditions = tuple(evaluator.condition for evaluator in piece.evaluators)
        settings = absolute(piece.extraction)
        return cls(manifest.folder.resolve(), manifest.hash, piece.config, settings, piece.options, conditions, key)


def computed_on_worker(told: Told) -> list[tuple[str, str]]:
    """(result, hash of its rows) of each evaluation of a piece; what an earlier worker finished is not done again."""
    fusions.allow(told.config.fusion)  # where the work comes from, a user named it
    manifest = manifest_at(told.folder, told.hash)
    planned = fuse.plan(manifest, told.config, told.extraction)
    if planned.key != told.key:
        raise unlike(f"checkpoint {planned.path.name}", planned.key, told.key)
    fuse.train(manifest, told.config, told.extraction)
    fitted: dict[str, Fitted] = {}
    found = []
    for condition in told.conditions:
        evaluator = Evaluator(manifest, planned, condition, told.extraction, None, told.options, fitted)
        rows = evaluator.folder / "rows.csv"
        if not rows.is_file():
            evaluator.store(evaluator.run(), evaluator.folder)
        found.append((evaluator.hash, bytes_hash(rows.read_bytes())))
    return found


def check(piece: Piece, found: Sequence[tuple[str, str]]) -> None:
    """Raise MmbioError where what a worker says it wrote does not stand here."""
    for evaluator, (result, rows) in zip(piece.evaluators, found, strict=True):
        path = evaluator.folder / "rows.csv"
        until = time.monotonic() + SHARED_S
        while not (is_there := path.is_file() and bytes_hash(path.read_bytes()) == rows) and time.monotonic() < until:
            time.sleep(0.2)
        if result != evaluator.hash or not is_there:
            raise MmbioError(
                f"{path}: not here, though a worker wrote it; workers need the home folder at the same path as this"
                " machine, on a file system that they share"
            )
