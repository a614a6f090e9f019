"""Classification: the posteriors of fold networks on the test items -> accuracies and the majority's."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.embed.conditioned import Embeddings, embeddings_under
from mmbio.embed.settings import device_of
from mmbio.errors import MmbioError
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.run import extraction_of, partitions_of
from mmbio.measure.accuracy import Accuracy, accuracy, correctness, majority
from mmbio.measure.intervals import Interval
from mmbio.measure.results import Figure
from mmbio.measure.score_fusion import fuse
from mmbio.report import Report

if TYPE_CHECKING:
    from mmbio.measure.evaluate import Evaluator


NO_INTERVAL: Final = Interval(np.nan, np.nan, "")


@dataclass(frozen=True)
class Classified:
    """What one evaluation found; posteriors: task -> (K, N, C), NaN where a fold does not test an item."""

    hash: str
    rows: np.ndarray  # (N,) items tested
    present: np.ndarray  # (N, M)
    posteriors: dict[str, np.ndarray]
    weights: np.ndarray | None  # (K, N, M) of an attention fusion
    accuracies: dict[str, Accuracy]
    majorities: dict[str, float]  # of gender: the accuracy of always answering the majority
    figures: list[Figure]
    arrays: dict[str, np.ndarray]
    rule: dict[str, float]


def run(evaluator: "Evaluator", report: Report) -> Classified:
    """Test fold networks on the test items; raises MmbioError for data that cannot be used."""
    manifest, config = evaluator.manifest, evaluator.config
    settings = extraction_of(config, evaluator.settings)
    rows = np.unique(np.concatenate([part.test for part in partitions_of(manifest, config)]))
    embeddings = embeddings_under(manifest, evaluator.condition, config.modalities, rows, settings, report)
    groups = [_predict(evaluator, member, embeddings) for member in evaluator.checkpoint.members()]
    weights = groups[0][1] if len(groups) == 1 else None
    posteriors = {task: _combine(evaluator, [g[0][task] for g in groups], embeddings) for task in config.tasks}
    subjects = manifest.labels["identification"][rows]
    truth = {task: manifest.labels[task][rows] for task in config.tasks}
    accuracies = {t: accuracy(correctness(p, truth[t]), subjects, config.seed) for t, p in posteriors.items()}
    majorities = {task: majority(truth[task]) for task in config.tasks if task == "gender"}
    used = [manifest.modalities.index(m) for m in config.modalities]
    figures: list[Figure] = []
    for task, found in accuracies.items():
        figures += _figures(evaluator, task, found, majorities.get(task), rows, posteriors[task], embeddings, used)
    arrays = {f"posterior_{task}": p for task, p in posteriors.items()}
    arrays |= {f"label_{task}": labels for task, labels in truth.items()}
    numbers = manifest.items["item"].to_numpy(np.int64)[rows]
    arrays |= {"item": numbers, "id": numbers.astype(str), "subject": subjects}
    rule = config.weights_of_rule() if config.is_score_level else {}
    return Classified(
        hash=evaluator.hash,
        rows=rows,
        present=embeddings.present,
        posteriors=posteriors,
        weights=weights,
        accuracies=accuracies,
        majorities=majorities,
        figures=figures,
        arrays=arrays,
        rule=rule,
    )


def _figures(
    evaluator: "Evaluator",
    task: str,
    found: Accuracy,
    most: float | None,
    rows: np.ndarray,
    posteriors: np.ndarray,
    embeddings: Embeddings,
    used: list[int],
) -> list[Figure]:
    """Each fold, the mean over folds, and gender's majority baseline."""
    tested = ~np.isnan(posteriors).all(2)  # (K, N)

    def figure(metric: str, value: float, fold: str, interval: Interval = NO_INTERVAL) -> Figure:
        at = tested[int(fold)] if fold != "mean" else tested.any(0)
        return Figure(
            task,
            metric,
            value,
            evaluator.manifest.n_distinct(rows[at], evaluator.config.modalities),
            low=None if np.isnan(interval.low) else interval.low,
            high=None if np.isnan(interval.high) else interval.high,
            interval=interval.method,
            fold=fold,
            n_imputed=int((~embeddings.present[at][:, used]).any(1).sum()),
        )

    folds = enumerate(found.folds) if len(found.folds) > 1 else ()
    made = [figure("accuracy", value, str(fold)) for fold, value in folds]
    made.append(figure("accuracy", found.value, "mean", Interval(found.low, found.high, found.method)))
    return made if most is None else [*made, figure("majority", most, "mean")]


def _predict(
    evaluator: "Evaluator", member: Checkpoint, embeddings: Embeddings
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Posteriors task -> (K, N, C) and weights (K, N, M) of a group's fold networks, NaN where not tested."""
    from mmbio.embed.cores import one_core
    from mmbio.fuse.train import predict, tensors

    device = device_of(evaluator.settings.device)
    parts = partitions_of(evaluator.manifest, evaluator.config)
    posteriors: dict[str, np.ndarray] = {}
    weights: np.ndarray | None = None
    masked = embeddings.only(member.config.modalities)
    for fold, part in enumerate(parts):
        at = np.searchsorted(embeddings.rows, part.test)
        data = tensors(masked.take(part.test), {}, device)
        with one_core():
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


def _combine(evaluator: "Evaluator", groups: list[np.ndarray], embeddings: Embeddings) -> np.ndarray:
    """One group's posteriors as they are, or several fused by the score rule, fold by fold."""
    config = evaluator.config
    if not config.is_score_level:
        return groups[0]
    weights = config.weights_of_rule()
    order = [embeddings.modalities.index(m) for m in config.modalities]
    w = np.array([weights[m] for m in config.modalities])
    fused = [fuse(config.fusion, np.stack(fold), w, embeddings.present[:, order]) for fold in zip(*groups, strict=True)]
    return np.stack(fused).astype(np.float32)
