"""Train an experiment: a manifest and a configuration -> a checkpoint, trained once for each content hash."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from mmbio.code import code_hashes, library_versions
from mmbio.data.manifest import Manifest, Partition
from mmbio.embed.backbones.beats import LIBRARIES
from mmbio.embed.conditioned import embeddings_under, jobs
from mmbio.embed.settings import Settings, device_of, threads
from mmbio.files import locked
from mmbio.fuse import checkpoint, fusions
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.network import n_parameters
from mmbio.fuse.train import State, new_network, rows_needed, seeded, tensors, train_fold
from mmbio.report import Report, silent

NETWORK_THREADS = 1  # what a network is trained and tested with
ROOMS = ("data", "embed", "fuse")  # whose code determines a checkpoint


def train(manifest: Manifest, config: Config, settings: Settings, report: Report = silent) -> Checkpoint:
    """The checkpoint of an experiment, trained unless it is there.

    Extracts what is missing. A score-level experiment trains one unimodal group a modality and
    then writes a checkpoint that names them. Raises MmbioError for data that cannot be used.
    """
    parts = [partitions_of(manifest, member) for member in config.members()]
    before = np.cumsum([0, *(len(p) for p in parts)]).tolist()
    members = [
        _train_group(manifest, member, settings, partial(_tick, report, start, before[-1]), report)
        for member, start in zip(config.members(), before, strict=False)
    ]
    if not config.is_score_level:
        return members[0]
    planned = plan(manifest, config, settings)
    costs = [m.cost() for m in members]
    cost = {
        "n_parameters": sum(c["n_parameters"] for c in costs),
        "seconds": round(sum(c["seconds"] for c in costs), 2),
    }
    return checkpoint.write(planned.path, planned.key, [], cost)


def plan(manifest: Manifest, config: Config, settings: Settings) -> Checkpoint:
    """The checkpoint of an experiment as it is, or would be once trained."""
    if config.folds is not None and config.folds >= len(manifest.partitions(config.unseen)):
        config = replace(config, folds=None)  # all of them, however many were asked for
    keys = [_key(manifest, member, settings) for member in config.members()]
    key = {"config": config.to_json(), "manifest": manifest.hash, "members": keys} if config.is_score_level else keys[0]
    return Checkpoint(settings.home / "checkpoints" / checkpoint.file_name(key), key)


def _key(manifest: Manifest, config: Config, settings: Settings) -> dict[str, Any]:
    """Everything that determines a group of networks, readable, so that a difference can be explained."""
    extraction = jobs(manifest, config.condition, config.modalities, settings)
    return {
        "config": config.to_json(),
        "manifest": manifest.hash,
        "classes": classes_of(manifest, config),
        "embeddings": {job.modality: job.key for job in extraction},
        "device": device_of(settings.device).partition(":")[0],
        "threads": NETWORK_THREADS,
        "libraries": library_versions(("torch", *(LIBRARIES if "ecg" in config.modalities else ()))),
        "code": code_hashes(ROOMS),
        "fusion_code": fusions.source_hash(config.fusion),
    }


def classes_of(manifest: Manifest, config: Config) -> dict[str, int]:
    """Task -> number of classes."""
    sizes = {"identification": manifest.n_subjects, "gender": 2}
    return {task: sizes[task] for task in config.tasks}


def partitions_of(manifest: Manifest, config: Config) -> list[Partition]:
    """The partitions of the fold models that the experiment trains."""
    return manifest.partitions(config.unseen)[: config.folds]


def _train_group(
    manifest: Manifest, config: Config, settings: Settings, tick: Callable[[int], None], report: Report
) -> Checkpoint:
    planned = plan(manifest, config, settings)
    with locked(planned.path.with_name(f".{planned.path.stem}.lock")):
        if not planned.path.is_file():
            states, cost = _train_networks(manifest, config, settings, tick, report)
            checkpoint.write(planned.path, planned.key, states, cost)
    return checkpoint.read(planned.path)


def _train_networks(
    manifest: Manifest, config: Config, settings: Settings, tick: Callable[[int], None], report: Report
) -> tuple[list[State], dict[str, Any]]:
    parts = partitions_of(manifest, config)
    rows = rows_needed(parts)
    embeddings = embeddings_under(manifest, config.condition, config.modalities, rows, settings, report)
    labels = {task: manifest.labels[task] for task in config.tasks}
    data = tensors(embeddings, labels, device_of(settings.device))
    classes = classes_of(manifest, config)

    ours = config.fusion in fusions.CLASSES  # another may draw from the one global generator: one at a time, seeded

    def one(fold: int, part: Partition) -> tuple[State, int, float]:
        train_rows, dev_rows = (torch.from_numpy(np.searchsorted(rows, r)) for r in (part.train, part.dev))
        began = time.thread_time()
        with nullcontext() if ours else seeded(config.seed, fold):
            state, n_epochs = train_fold(config, classes, fold, data, train_rows, dev_rows)
        return _without_idle(state, config), n_epochs, time.thread_time() - began

    states, epochs, seconds = [], [], 0.0
    # One thread a network and several networks at once: faster than several threads a network, far less
    # sensitive to other work on the machine, and the same bytes however many are trained at once.
    torch.set_num_threads(NETWORK_THREADS)
    at_once = threads() if ours else 1
    with ThreadPoolExecutor(at_once, initializer=torch.set_num_threads, initargs=(NETWORK_THREADS,)) as pool:
        for fold, (state, n_epochs, spent) in enumerate(pool.map(one, range(len(parts)), parts)):
            states.append(state)
            epochs.append(n_epochs)
            seconds += spent
            tick(fold + 1)
    n = n_parameters(new_network(config, classes, 0), checkpoint.idle_branches(config))
    return states, {"n_parameters": n, "seconds": round(seconds, 2), "epochs": epochs}


def _tick(report: Report, before: int, total: int, done: int) -> None:
    report("training networks", before + done, total)


def _without_idle(state: State, config: Config) -> State:
    idle = checkpoint.idle_branches(config)
    return {name: tensor for name, tensor in state.items() if not (idle and name.startswith(idle))}
