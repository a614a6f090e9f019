"""Train an experiment: a manifest and a configuration -> a checkpoint, trained once for each content hash."""

import time
from collections.abc import Callable, Sequence
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
from mmbio.embed.conditioned import embeddings_under, jobs, shape_of
from mmbio.embed.cores import NETWORK_THREADS, one_core
from mmbio.embed.settings import Settings, device_of, precision_of, threads
from mmbio.errors import MmbioError
from mmbio.files import locked
from mmbio.fuse import checkpoint, fusions
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.network import Shapes, n_parameters
from mmbio.fuse.objectives import Classification, Data, Objective, Verification
from mmbio.fuse.pairs import Pool
from mmbio.fuse.train import State, new_network, rows_needed, seed_of, seeded, tensors, train_fold
from mmbio.report import Report, silent

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
    absent = [m for m in config.modalities if m not in manifest.modalities]
    if absent:
        raise MmbioError(
            f"--modalities {','.join(absent)}: the manifest has {', '.join(manifest.modalities)}; choose from these"
        )
    if config.folds is not None and config.folds >= len(manifest.partitions(config.unseen)):
        config = replace(config, folds=None)  # all of them, however many were asked for
    keys = [_key(manifest, member, extraction_of(config, settings)) for member in config.members()]
    key = {"config": config.to_json(), "manifest": manifest.hash, "members": keys} if config.is_score_level else keys[0]
    return Checkpoint(settings.home / "checkpoints" / checkpoint.file_name(key), key)


def _key(manifest: Manifest, config: Config, settings: Settings) -> dict[str, Any]:
    """Everything that determines a group of networks, readable, so that a difference can be explained."""
    extraction = jobs(manifest, config.condition, config.modalities, settings)
    return {
        "config": config.to_json(),
        "manifest": manifest.hash,
        "classes": classes_of(manifest, config),
        "shapes": [[m, list(shape_of(manifest, m, settings))] for m in manifest.modalities],
        "embeddings": {job.modality: job.key for job in extraction},
        "device": device_of(settings.device).partition(":")[0],
        "threads": NETWORK_THREADS,
        "products": products_of(settings),
        "libraries": library_versions(("torch", *(LIBRARIES if "ecg" in config.modalities else ()))),
        "code": code_hashes(ROOMS),
        "fusion_code": fusions.source_hash(config.fusion),
    }


def classes_of(manifest: Manifest, config: Config) -> dict[str, int]:
    """Task -> number of classes; verification has none."""
    sizes = {"identification": manifest.n_subjects, "gender": 2}
    return {task: sizes[task] for task in config.tasks if task in sizes}


def extraction_of(config: Config, settings: Settings) -> Settings:
    """The extraction settings of an experiment, whose segment length they take."""
    return replace(settings, segment_s=config.segment_s)


def products_of(settings: Settings) -> str:
    """How matrices are multiplied in training: bf16, with float32 sums, where the device has it; tests are float64."""
    return precision_of(settings.precision, device_of(settings.device))


def partitions_of(manifest: Manifest, config: Config) -> list[Partition]:
    """The partitions of the fold models that the experiment trains."""
    return manifest.partitions(config.unseen)[: config.folds]


def n_parameters_of(manifest: Manifest, config: Config, settings: Settings) -> int:
    """Trainable numbers of one network of an experiment, before it is made."""
    extraction = extraction_of(config, settings)
    shapes = {m: shape_of(manifest, m, extraction) for m in manifest.modalities}
    outline = checkpoint.outline(config, classes_of(manifest, config), shapes)
    return n_parameters(outline, checkpoint.idle_branches(config, shapes))


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
    settings = extraction_of(config, settings)
    shapes = {m: shape_of(manifest, m, settings) for m in manifest.modalities}
    classes = classes_of(manifest, config)
    n = n_parameters_of(manifest, config, settings)
    if n == 0:
        made = [new_network(config, classes, shapes, fold) for fold in range(len(parts))]
        states = [_without_idle(network.state_dict(), config, shapes) for network in made]
        return states, {"n_parameters": 0, "seconds": 0.0, "epochs": [0] * len(parts)}
    embeddings = embeddings_under(manifest, config.condition, config.modalities, rows, settings, report)
    labels = {task: manifest.labels[task] for task in classes}
    device = device_of(settings.device)
    data = tensors(embeddings, labels, device)

    ours = config.fusion in fusions.CLASSES  # another may draw from the one global generator: one at a time, seeded

    def one(fold: int, part: Partition) -> tuple[State, int, float]:
        with one_core(products_of(settings)):
            began = time.thread_time()
            network = new_network(config, classes, shapes, fold).to(device)
            objective = _objective(manifest, config, data, rows, part, fold)
            with nullcontext() if ours else seeded(config.seed, fold):
                state, n_epochs = train_fold(network, objective, config.how)
            return _without_idle(state, config, shapes), n_epochs, time.thread_time() - began

    states, epochs, seconds = [], [], 0.0
    # One thread a network and several networks at once: faster than several threads a network, far less
    # sensitive to other work on the machine, and the same bytes however many are trained at once.
    with ThreadPoolExecutor(threads() if ours else 1) as pool:
        for fold, (state, n_epochs, spent) in enumerate(pool.map(one, range(len(parts)), parts)):
            states.append(state)
            epochs.append(n_epochs)
            seconds += spent
            tick(fold + 1)
    return states, {"n_parameters": n, "seconds": round(seconds, 2), "epochs": epochs}


def _tick(report: Report, before: int, total: int, done: int) -> None:
    report("training networks", before + done, total)


def _objective(
    manifest: Manifest, config: Config, data: Data, rows: np.ndarray, part: Partition, fold: int
) -> Objective:
    """What a fold's network is trained for, on rows numbered as in `data`."""
    seed, how = seed_of(config.seed, fold), config.how
    train, dev = (np.searchsorted(rows, r) for r in (part.train, part.dev))
    if not config.verifies:
        weights = dict(config.task_weights)
        return Classification(data, torch.from_numpy(train), torch.from_numpy(dev), weights, how.batch, seed)
    together = not manifest.info["chimeric"]
    modalities = [m for m in config.modalities if m in data.vectors]
    if not modalities:
        raise MmbioError(f"condition '{config.condition}': leaves no modality to train on; leave one of them as it is")
    present = data.present.cpu().numpy()
    to_train, to_tune = (_pools(manifest, modalities, rows, block, present, together) for block in (train, dev))
    return Verification(
        data, manifest.modalities, to_train, to_tune, together, steps=how.steps, batch=how.batch, seed=seed
    )


def _pools(
    manifest: Manifest,
    modalities: Sequence[str],
    rows: np.ndarray,
    block: np.ndarray,
    present: np.ndarray,
    together: bool,
) -> dict[str, Pool]:
    """Modality -> the samples of a block (n,) to draw pairs from: all of a subject's, or, apart, those there are."""
    items = manifest.items.iloc[rows[block]]
    subjects, videos = items["subject"].to_numpy(np.int64), items["video"].to_numpy(str)
    pools = {}
    for modality in modalities:
        column = manifest.modalities.index(modality)
        there = present[block].any(1) if together else present[block, column]
        pools[modality] = Pool.of(block[there], subjects[there], videos[there])
    return pools


def _without_idle(state: State, config: Config, shapes: Shapes) -> State:
    idle = checkpoint.idle_branches(config, shapes)
    return {name: tensor for name, tensor in state.items() if not (idle and name.startswith(idle))}
