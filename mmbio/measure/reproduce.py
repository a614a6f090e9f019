"""Reproduce: a stored result, evaluated again from its samples or its checkpoint, and compared with what it was."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmbio import provenance
from mmbio.conditions import parse
from mmbio.data import manifest as manifests
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones.resnet50 import weights_id
from mmbio.embed.settings import Settings
from mmbio.errors import MmbioError
from mmbio.fuse import checkpoint as checkpoints
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.run import train
from mmbio.measure import same, sidecar
from mmbio.measure.dcf import Cost
from mmbio.measure.evaluate import Evaluator
from mmbio.measure.same import Comparison
from mmbio.measure.sidecar import Sidecar
from mmbio.measure.verify import DEFAULT, Options
from mmbio.report import Report, silent


@dataclass(frozen=True)
class Recorded:
    """A stored result, and what its sidecar tells of how it was made."""

    folder: Path
    key: Mapping[str, Any]
    sidecar: Sidecar

    @property
    def home(self) -> Path:
        """The home that the result was written below."""
        return self.folder.parent.parent

    @property
    def config(self) -> Config:
        return Config.from_json(self.key["checkpoint"]["config"])

    @property
    def options(self) -> Options:
        plain = dict(self.key.get("options") or {})
        return Options(**plain | {"cost": Cost(**plain["cost"])}) if plain else DEFAULT


@dataclass(frozen=True)
class Moved:
    """Where things are now, in place of where they were when a result was made; None: still there."""

    manifest: Path | None = None
    weights: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class Reproduction:
    """A rerun, how it compares with the record, and what lies between then and now."""

    folder: Path  # of the rerun's result
    comparison: Comparison
    changes: dict[str, tuple[str, str]]  # what differs: as it was, as it is


def recorded(folder: Path) -> Recorded:
    """A stored result with its sidecar; raises MmbioError for one that is older, newer, or was edited."""
    found = sidecar.read(folder)
    made = Recorded(folder, sidecar.key_of(folder, found), found)
    try:
        _ = made.config, made.options
    except (KeyError, TypeError) as error:
        raise MmbioError(
            f"{folder / 'key.json'}: of another version of mmbio, whose settings are others ({error}); use that one, or"
            f" {sidecar.CURE}"
        ) from error
    return made


def reproduce(
    found: Recorded, scratch: Path, moved: Moved, from_checkpoint: bool = False, report: Report = silent
) -> Reproduction:
    """Run a result's evaluation again, and compare; everything is written below the home `scratch`.

    Extracts and trains anew, or, `from_checkpoint`, evaluates with the stored checkpoint and vectors. Raises
    MmbioError where the manifest, its samples, the weights or the checkpoint are gone or others.
    """
    manifest = _manifest(found, moved.manifest)
    with _threads(int(found.sidecar.settings["threads"])):
        settings = _settings(found, found.home if from_checkpoint else scratch, moved)
        trained = _stored(found) if from_checkpoint else train(manifest, found.config, settings, report)
        trials = sidecar.trials_of(found.folder, found.sidecar, found.key)
        condition = parse(str(found.key["condition"]))
        evaluator = Evaluator(manifest, trained, condition, settings, trials, found.options)
        folder = scratch / "results" / evaluator.hash
        evaluator.store(evaluator.run(report), folder)
        between = same.changes(found.key, evaluator.key)
        between |= same.changes(found.sidecar.environment, provenance.environment())
    return Reproduction(folder, same.compare(found.folder, folder), between)


def _manifest(found: Recorded, folder: Path | None) -> Manifest:
    kept = folder or sidecar.place(found.sidecar.manifest_folder, found.home)
    if folder is None and not kept.is_dir():
        kept = manifests.of_hash(found.home, found.sidecar.manifest)
    manifest = manifests.read(kept)
    if manifest.hash != found.sidecar.manifest:
        raise MmbioError(
            f"{kept}: manifest {manifest.hash[:8]}, where the result is of {found.sidecar.manifest[:8]}; give that"
            " one's folder with --manifest"
        )
    return manifest


def _settings(found: Recorded, home: Path, moved: Moved) -> Settings:
    """The settings of then with what `auto` stood for, so that another machine computes the same."""
    trained = found.key["checkpoint"]
    products = trained.get("members", [trained])[0]["products"]
    settings = replace(found.sidecar.settings_below(home), precision=products)
    keys = [*_embeddings(found.key["checkpoint"]), *found.key["embeddings"].values()]
    behind = next((key for key in keys if key["backbone"] == "resnet50"), None)
    device = moved.device or str(found.key["device"])
    if behind is None:
        if moved.weights:
            raise MmbioError(f"--weights {moved.weights}: no ResNet-50 behind {found.folder.name}; leave --weights out")
        return replace(settings, device=device)
    weights = moved.weights or settings.weights
    if weights not in ("auto", "imagenet", "random"):
        weights = str(sidecar.place(weights, found.home)) if moved.weights is None else weights
        if not Path(weights).is_file():
            raise MmbioError(f"{weights}: the weights of the result are not there; say where with --weights PATH")
    if weights != "auto" and weights_id(weights) != behind["weights"]:
        raise MmbioError(
            f"--weights {weights}: not the weights of the result, which are {behind['weights']}; give that file"
        )
    return replace(settings, device=device, weights=weights)


def _embeddings(key: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [found for member in key.get("members", [key]) for found in member["embeddings"].values()]


def _stored(found: Recorded) -> Checkpoint:
    """The checkpoint of then; raises MmbioError where it, or one that it names, is gone or another."""
    path = sidecar.place(found.sidecar.checkpoint, found.home)
    keys = [found.key["checkpoint"], *found.key["checkpoint"].get("members", ())]
    for file in (path, *(path.with_name(checkpoints.file_name(key)) for key in keys[1:])):
        if not file.is_file():
            raise MmbioError(f"{file}: the checkpoint is not there; leave --from-checkpoint out to train it again")
    trained = checkpoints.read(path)
    if trained.key != found.key["checkpoint"]:
        raise MmbioError(
            f"{path}: another checkpoint than that of the result; leave --from-checkpoint out to train it again"
        )
    return trained


@contextmanager
def _threads(number: int) -> Iterator[None]:
    """As many threads as then, whatever MMBIO_THREADS says now: vectors may depend on it."""
    before = os.environ.get("MMBIO_THREADS")
    os.environ["MMBIO_THREADS"] = str(number)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MMBIO_THREADS"]
        else:
            os.environ["MMBIO_THREADS"] = before
