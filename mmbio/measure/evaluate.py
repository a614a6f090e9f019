"""evaluate: a checkpoint on the test triplets under a condition -> posteriors and result rows."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mmbio import __version__
from mmbio.code import code_hashes, library_versions
from mmbio.conditions import Condition
from mmbio.data.manifest import Manifest
from mmbio.embed.backbones.beats import LIBRARIES
from mmbio.embed.backbones.resnet50 import RANDOM_SEED, weights_id
from mmbio.embed.conditioned import Embeddings, embeddings_under, jobs
from mmbio.embed.settings import Settings, device_of
from mmbio.errors import MmbioError
from mmbio.files import content_hash, locked, replacing, write_json, write_text
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.run import NETWORK_THREADS, partitions_of
from mmbio.measure import results
from mmbio.measure.accuracy import Accuracy, accuracy, majority
from mmbio.measure.results import ResultRow
from mmbio.measure.score_fusion import fuse
from mmbio.report import Report, silent


@dataclass(frozen=True)
class Evaluation:
    """What one evaluation found; posteriors: task -> (K, N, C), NaN where a fold does not test an item."""

    hash: str
    rows: np.ndarray  # (N,) triplets tested
    present: np.ndarray  # (N, M)
    posteriors: dict[str, np.ndarray]
    weights: np.ndarray | None  # (K, N, M) of an attention fusion
    accuracies: dict[str, Accuracy]
    majorities: dict[str, float]  # of gender: the accuracy of always answering the majority


@dataclass(frozen=True)
class Evaluator:
    """One evaluation: which checkpoint, on which manifest, under which test condition."""

    manifest: Manifest
    checkpoint: Checkpoint
    condition: Condition
    settings: Settings

    def __post_init__(self) -> None:
        if self.checkpoint.key["manifest"] != self.manifest.hash:
            raise MmbioError(
                f"{self.checkpoint.path}: trained on manifest {self.checkpoint.key['manifest'][:8]}, not on"
                f" {self.manifest.hash[:8]}; give the manifest it was trained on, or train on this one"
            )
        sided = [str(effect) for effect in self.condition.effects if effect.side != "both"]
        if sided:
            raise MmbioError(
                f"condition '{sided[0]}': sides belong to verification trials; leave @{sided[0].split('@')[1]} out"
            )

        idle = [str(e) for e in self.condition.effects if e.modality not in self.config.modalities]
        if idle:
            raise MmbioError(
                f"condition '{idle[0]}': the checkpoint was trained on {', '.join(self.config.modalities)} alone;"
                " leave it out"
            )

    @cached_property
    def config(self) -> Config:
        return self.checkpoint.config

    @cached_property
    def key(self) -> dict[str, Any]:
        """Everything that determines the figures."""
        extraction = jobs(self.manifest, self.condition, self.config.modalities, self.settings)
        return {
            "checkpoint": self.checkpoint.key,
            "condition": str(self.condition),
            "embeddings": {job.modality: job.key for job in extraction},
            "device": device_of(self.settings.device).partition(":")[0],
            "threads": NETWORK_THREADS,
            "libraries": library_versions(("torch", *(LIBRARIES if "ecg" in self.config.modalities else ()))),
            "code": code_hashes(["measure"]),
        }

    @property
    def hash(self) -> str:
        return content_hash(self.key)

    @property
    def folder(self) -> Path:
        return self.settings.home / "results" / self.hash

    def run(self, report: Report = silent) -> Evaluation:
        """Evaluate, extracting what is missing; raises MmbioError for data that cannot be used."""
        parts = partitions_of(self.manifest, self.config)
        rows = np.unique(np.concatenate([part.test for part in parts]))
        embeddings = embeddings_under(
            self.manifest, self.condition, self.config.modalities, rows, self.settings, report
        )
        groups = [self._predict(member, embeddings) for member in self.checkpoint.members()]
        weights = groups[0][1] if len(groups) == 1 else None
        posteriors = {task: self._combine([g[0][task] for g in groups], embeddings) for task in self.config.tasks}
        subjects = self.manifest.labels["identification"][rows]
        truth = {task: self.manifest.labels[task][rows] for task in self.config.tasks}
        correct = {task: _correct(p, truth[task]) for task, p in posteriors.items()}
        return Evaluation(
            hash=self.hash,
            rows=rows,
            present=embeddings.present,
            posteriors=posteriors,
            weights=weights,
            accuracies={task: accuracy(c, subjects, self.config.seed) for task, c in correct.items()},
            majorities={task: majority(truth[task]) for task in self.config.tasks if task == "gender"},
        )

    def _predict(self, member: Checkpoint, embeddings: Embeddings) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Posteriors task -> (K, N, C) and weights (K, N, M) of a group's fold networks, NaN where not tested."""
        import torch

        from mmbio.fuse.train import predict, tensors

        torch.set_num_threads(NETWORK_THREADS)
        device = device_of(self.settings.device)
        parts = partitions_of(self.manifest, self.config)
        posteriors: dict[str, np.ndarray] = {}
        weights: np.ndarray | None = None
        masked = _only(embeddings, member.config.modalities)
        for fold, part in enumerate(parts):
            at = np.searchsorted(embeddings.rows, part.test)
            data = tensors(masked.take(part.test), {}, device)
            found, alpha = predict(member.network(fold).to(device), data)
            if not all(np.isfinite(p).all() for p in found.values()):
                raise MmbioError(
                    f"{member.path}: the network of fold {fold} gives posteriors that are no numbers, so its training"
                    " diverged; train with another --seed or other --noise"
                )
            for task, p in found.items():
                shape = (len(parts), len(embeddings.rows), p.shape[1])
                posteriors.setdefault(task, np.full(shape, np.nan, dtype=np.float32))[fold, at] = p
            if alpha is not None:
                if weights is None:
                    weights = np.full((len(parts), len(embeddings.rows), alpha.shape[1]), np.nan, dtype=np.float32)
                weights[fold, at] = alpha
        return posteriors, weights

    def _combine(self, groups: list[np.ndarray], embeddings: Embeddings) -> np.ndarray:
        """One group's posteriors as they are, or several fused by the score rule, fold by fold."""
        if not self.config.is_score_level:
            return groups[0]
        weights = self.config.weights_of_rule()
        order = [embeddings.modalities.index(m) for m in self.config.modalities]
        w = np.array([weights[m] for m in self.config.modalities])
        fused = [
            fuse(self.config.fusion, np.stack(fold), w, embeddings.present[:, order])
            for fold in zip(*groups, strict=True)
        ]
        return np.stack(fused).astype(np.float32)

    def rows(self, evaluation: Evaluation) -> list[ResultRow]:
        """The evaluation's figures as tidy rows: each fold, the mean over folds, and gender's majority baseline."""
        made = []
        for task, found in evaluation.accuracies.items():
            folds = enumerate(found.folds) if len(found.folds) > 1 else ()
            made += [self._row(evaluation, task, str(fold), "accuracy", value) for fold, value in folds]
            made.append(self._row(evaluation, task, "mean", "accuracy", found.value, (found.low, found.high)))
            if task in evaluation.majorities:
                made.append(self._row(evaluation, task, "mean", "majority", evaluation.majorities[task]))
        return made

    def save(self, evaluation: Evaluation) -> None:
        """Write rows, raw posteriors and the key below the results folder, and add the rows to results.csv."""
        rows, collected = self.rows(evaluation), self.settings.home / "results.csv"
        if collected.exists():
            results.read(collected)  # what cannot be added to is found before anything is written
        arrays = {f"posterior_{task}": p for task, p in evaluation.posteriors.items()}
        arrays |= {"rows": evaluation.rows, "present": evaluation.present}
        arrays |= {f"label_{task}": self.manifest.labels[task][evaluation.rows] for task in self.config.tasks}
        if evaluation.weights is not None:
            arrays["weights"] = evaluation.weights
        results.append(collected, rows)
        with locked(self.folder.with_name(f".{self.hash}.lock")), replacing(self.folder) as scratch:
            scratch.mkdir()
            for name, array in arrays.items():
                np.save(scratch / f"{name}.npy", array, allow_pickle=False)
            write_text(scratch / "rows.csv", results.to_csv(rows))
            write_json(scratch / "key.json", self.key)

    def _row(
        self,
        evaluation: Evaluation,
        task: str,
        fold: str,
        metric: str,
        value: float,
        interval: tuple[float, float] | None = None,
    ) -> ResultRow:
        info, config = self.manifest.info, self.config
        rule = config.weights_of_rule() if config.is_score_level else {}
        tested = ~np.isnan(evaluation.posteriors[task]).all(2)  # (K, N)
        at = evaluation.rows[tested[int(fold)] if fold != "mean" else tested.any(0)]
        n = self.manifest.n_distinct(at, config.modalities)
        used = [self.manifest.modalities.index(m) for m in config.modalities]
        first = next(iter(self.checkpoint.embeddings().values()), {})
        return ResultRow(
            result=evaluation.hash,
            protocol=config.protocol,
            data=info["data"],
            manifest=self.manifest.hash,
            n_subjects=self.manifest.n_subjects,
            split=info["split"] + ("-unseen" if config.unseen else ""),
            scale=info["scale"],
            segment_s="",
            fusion=config.fusion,
            rule_weights=" ".join(f"{m}={w:.4g}" for m, w in rule.items()),
            modalities="+".join(config.modalities),
            trained_tasks="+".join(config.tasks),
            backbone=first.get("backbone", "beats"),
            weights=first.get("weights", ""),
            precision=first.get("precision", "fp32"),
            train_condition=str(config.condition),
            test_condition=str(self.condition),
            task=task,
            fold=fold,
            metric=metric,
            convention="",
            value=round(value, 6),
            low=round(interval[0], 6) if interval else None,
            high=round(interval[1], 6) if interval else None,
            interval="subject-bootstrap" if interval else "",
            n=n,
            n_genuine=None,
            n_impostor=None,
            n_missing=int((~evaluation.present[:, used]).any(1).sum()),
            seed=config.seed,
            version=__version__,
        )


def settings_of(checkpoint: Checkpoint, settings: Settings, weights_file: str | None = None) -> Settings:
    """The settings under which a checkpoint's vectors were extracted; its weights must be at hand.

    Raises MmbioError where it was trained on a file of weights and another, or none, is given.
    """
    keys = list(checkpoint.embeddings().values())
    if not keys:
        return settings
    known = {"imagenet1k-v1": "imagenet", f"random-{RANDOM_SEED}": "random"}
    trained_on = keys[0]["weights"]
    weights = weights_file or known.get(trained_on)
    if weights is None or weights_id(weights) != trained_on:
        cure = "leave --weights out" if trained_on in known else "give that ResNet-50 file with --weights PATH"
        raise MmbioError(f"{checkpoint.path}: trained on the weights {trained_on}; {cure}")
    return replace(settings, weights=weights, precision=keys[0]["precision"])


def _only(embeddings: Embeddings, modalities: tuple[str, ...]) -> Embeddings:
    """The embeddings with every other modality masked out."""
    keep = np.array([m in modalities for m in embeddings.modalities])
    vectors = {m: v for m, v in embeddings.vectors.items() if m in modalities}
    return Embeddings(embeddings.rows, embeddings.modalities, vectors, embeddings.present & keep)


def _correct(posteriors: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Correctness (K, N), NaN where a fold does not test an item."""
    untested = np.isnan(posteriors).all(2)
    decided = np.where(untested, -1, np.nan_to_num(posteriors, nan=-1.0).argmax(2))
    return np.where(untested, np.nan, decided == truth)
