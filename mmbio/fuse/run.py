"""Train an experiment: a manifest and a configuration -> a checkpoint, trained once for each content hash."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmbio.code import code_hashes
from mmbio.data.manifest import Manifest, Partition
from mmbio.embed.conditioned import embeddings_under, jobs
from mmbio.embed.settings import Settings, device_of, threads
from mmbio.files import locked
from mmbio.fuse import checkpoint
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.network import n_parameters
from mmbio.fuse.train import State, new_network, rows_needed, tensors, train_fold
from mmbio.report import Report, silent

ROOMS = ("data", "embed", "fuse")  # whose code determines a checkpoint


def train(manifest: Manifest, config: Config, settings: Settings, report: Report = silent) -> Checkpoint:
    """The checkpoint of an experiment, trained unless it is there.

    Extracts what is missing. A score-level experiment trains one unimodal group a modality and
    then writes a checkpoint that names them. Raises MmbioError for data that cannot be used.
    """
    total = sum(len(partitions_of(manifest, c)) for c in config.members())
    members: list[Checkpoint] = []
    for member in config.members():
        before = sum(len(partitions_of(manifest, m.config)) for m in members)
        members.append(_train_group(manifest, member, settings, report, before, total))
    if not config.is_score_level:
        return members[0]
    key = {"config": config.to_json(), "manifest": manifest.hash, "members": [m.path.name for m in members]}
    costs = [m.cost() for m in members]
    cost = {"n_parameters": sum(c["n_parameters"] for c in costs), "seconds": sum(c["seconds"] for c in costs)}
    return checkpoint.write(checkpoint.path_of(settings.home, key), key, [], cost)


def key_of(manifest: Manifest, config: Config, settings: Settings) -> dict[str, Any]:
    """Everything that determines a group of networks, readable, so that a difference can be explained."""
    extraction = jobs(manifest, config.condition, config.modalities, settings)
    return {
        "config": config.to_json(),
        "manifest": manifest.hash,
        "classes": classes_of(manifest, config),
        "embeddings": {job.modality: job.key for job in extraction},
        "device": device_of(settings.device).partition(":")[0],
        "threads": threads(),
        "torch": checkpoint.torch_version(),
        "code": code_hashes(ROOMS),
    }


def classes_of(manifest: Manifest, config: Config) -> dict[str, int]:
    """Task -> number of classes."""
    sizes = {"identification": manifest.n_subjects, "gender": 2}
    return {task: sizes[task] for task in config.tasks}


def path_of(manifest: Manifest, config: Config, settings: Settings) -> Path:
    """Where the checkpoint of a feature-level experiment stands, or will."""
    return checkpoint.path_of(settings.home, key_of(manifest, config, settings))


def partitions_of(manifest: Manifest, config: Config) -> list[Partition]:
    """The partitions of the fold models that the experiment trains."""
    return manifest.partitions(config.unseen)[: config.folds]


def _train_group(
    manifest: Manifest, config: Config, settings: Settings, report: Report, before: int, total: int
) -> Checkpoint:
    key = key_of(manifest, config, settings)
    path = checkpoint.path_of(settings.home, key)
    with locked(path.with_name(f".{path.stem}.lock")):
        if not path.is_file():
            parts = partitions_of(manifest, config)
            states, cost = _train_networks(manifest, config, settings, parts, report, before, total)
            checkpoint.write(path, key, states, cost)
    return checkpoint.read(path)


def _train_networks(
    manifest: Manifest,
    config: Config,
    settings: Settings,
    parts: list[Partition],
    report: Report,
    before: int,
    total: int,
) -> tuple[list[State], dict[str, Any]]:
    rows = rows_needed(parts)
    embeddings = embeddings_under(manifest, config.condition, config.modalities, rows, settings, report)
    torch.set_num_threads(threads())
    labels = {task: manifest.labels[task] for task in config.tasks}
    data = tensors(embeddings, labels, device_of(settings.device))
    classes = classes_of(manifest, config)
    start, states, epochs = time.perf_counter(), [], []
    for fold, part in enumerate(parts):
        train_rows, dev_rows = (torch.from_numpy(np.searchsorted(rows, r)) for r in (part.train, part.dev))
        state, n_epochs = train_fold(config, classes, fold, data, train_rows, dev_rows)
        states.append(_without_idle(state, config))
        epochs.append(n_epochs)
        report("training networks", before + fold + 1, total)
    n = n_parameters(new_network(config, classes, 0), checkpoint.idle_branches(config))
    return states, {"n_parameters": n, "seconds": round(time.perf_counter() - start, 2), "epochs": epochs}


def _without_idle(state: State, config: Config) -> State:
    idle = checkpoint.idle_branches(config)
    return {name: tensor for name, tensor in state.items() if not (idle and name.startswith(idle))}
