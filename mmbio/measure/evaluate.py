"""evaluate: a checkpoint on the test items under a condition -> figures and result rows."""

import time
from dataclasses import asdict, dataclass, field, replace
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
from mmbio.embed.conditioned import jobs
from mmbio.embed.cores import NETWORK_THREADS
from mmbio.embed.settings import Settings, device_of
from mmbio.errors import MmbioError
from mmbio.files import content_hash, locked, replacing, write_json, write_text
from mmbio.fuse.checkpoint import Checkpoint
from mmbio.fuse.config import Config
from mmbio.fuse.run import extraction_of
from mmbio.measure import classify, results, sidecar, verify
from mmbio.measure.classify import Classified
from mmbio.measure.results import Figure, ResultRow
from mmbio.measure.trials import Trials
from mmbio.measure.verify import DEFAULT, Fitted, Options, Verified
from mmbio.report import Report, silent

Evaluation = Classified | Verified


@dataclass(frozen=True)
class Evaluator:
    """One evaluation: which checkpoint, on which manifest, under which test condition."""

    manifest: Manifest
    checkpoint: Checkpoint
    condition: Condition
    settings: Settings
    trials: Trials | None = None  # None: those of the manifest
    options: Options = DEFAULT
    fitted: dict[str, Fitted] = field(default_factory=dict, compare=False, repr=False)  # shared by a checkpoint's
    _times: dict[str, float] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.checkpoint.key["manifest"] != self.manifest.hash:
            raise MmbioError(
                f"{self.checkpoint.path}: trained on manifest {self.checkpoint.key['manifest'][:8]}, not on"
                f" {self.manifest.hash[:8]}; give the manifest it was trained on, or train on this one"
            )
        sided = [str(effect) for effect in self.condition.effects if effect.side != "both"]
        if sided and not self.config.verifies:
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
        settings = extraction_of(self.config, self.settings)
        extraction = jobs(self.manifest, self.condition, self.config.modalities, settings)
        how = {"trials": self.trials.hash if self.trials else "manifest", "options": asdict(self.options)}
        return {
            "checkpoint": self.checkpoint.key,
            "condition": str(self.condition),
            "embeddings": {job.modality: job.key for job in extraction},
            "device": device_of(self.settings.device).partition(":")[0],
            "threads": NETWORK_THREADS,
            "libraries": library_versions(self._libraries()),
            "code": code_hashes(["measure"]),
            **(how if self.config.verifies else {}),
        }

    @property
    def hash(self) -> str:
        return content_hash(self.key)

    @property
    def folder(self) -> Path:
        return self.settings.home / "results" / self.hash

    def run(self, report: Report = silent) -> Evaluation:
        """Evaluate, extracting what is missing; raises MmbioError for data that cannot be used."""
        began = time.time()
        found = verify.run(self, report) if self.config.verifies else classify.run(self, report)
        self._times.update(began=began, seconds=time.time() - began)
        return found

    def rows(self, evaluation: Evaluation) -> list[ResultRow]:
        """The evaluation's figures as tidy rows."""
        return [self._row(evaluation, figure) for figure in evaluation.figures]

    def save(self, evaluation: Evaluation) -> None:
        """Write the evaluation below the results folder, and add its rows to results.csv."""
        rows, collected = self.rows(evaluation), self.settings.home / "results.csv"
        if collected.exists():
            results.check(collected)  # what cannot be added to is found before anything is written
        results.append(collected, rows)
        self.store(evaluation, self.folder)

    def store(self, evaluation: Evaluation, folder: Path) -> None:
        """Write a result folder whole: rows, raw posteriors or scores, the key, and the sidecar of this run.

        Its arrays, NAME.npy, where N items take part and T trials are scored:
          rows (N,) of the manifest's items; present (N, M) bool; weights (K, N, M) of an attention fusion
          item (n,) int64, ascending for trials: the items' numbers; id (n,) text; subject (n,) int64
          posterior_TASK (K, N, C) float32 of K fold models, NaN where one does not test an item; label_TASK (N,) int64
          scores (T,) float64; genuine (T,) bool; enrolment and probe (T,) int64: item numbers
          llr (T,) float32, in nats, by logistic regression on dev; not there where dev allows no calibration
        """
        arrays = evaluation.arrays | {"rows": evaluation.rows, "present": evaluation.present}
        if evaluation.weights is not None:
            arrays["weights"] = evaluation.weights
        with locked(folder.with_name(f".{folder.name}.lock")), replacing(folder) as scratch:
            scratch.mkdir()
            for name, array in arrays.items():
                np.save(scratch / f"{name}.npy", array, allow_pickle=False)
            write_text(scratch / "rows.csv", results.to_csv(self.rows(evaluation)))
            write_json(scratch / "key.json", self.key)
            sidecar.write(scratch, self, self._times.get("began"), self._times.get("seconds"))

    def _row(self, evaluation: Evaluation, figure: Figure) -> ResultRow:
        info, config = self.manifest.info, self.config
        keys = list(self.checkpoint.embeddings().values())
        words = self.trials.words if self.trials else str(info.get("trials", ""))
        return ResultRow(
            result=evaluation.hash,
            protocol=config.protocol,
            data=info["data"],
            manifest=self.manifest.hash,
            n_subjects=self.manifest.n_subjects,
            split=info["split"] + ("-unseen" if config.unseen else ""),
            scale=info["scale"],
            segment_s="" if config.segment_s is None else f"{config.segment_s:g}",
            fusion=config.fusion,
            rule_weights=" ".join(f"{m}={w:.4g}" for m, w in evaluation.rule.items()),
            modalities="+".join(config.modalities),
            trained_tasks="+".join(config.tasks),
            backbone="+".join(dict.fromkeys(k["backbone"] for k in keys)) or self._ready_made(),
            weights="+".join(dict.fromkeys(k["weights"] for k in keys)),
            precision=keys[0]["precision"] if keys else "fp32",
            train_condition=str(config.condition),
            test_condition=str(self.condition),
            trials=words if config.verifies else "",
            seed=config.seed,
            version=__version__,
            **{**asdict(figure), "value": _rounded(figure.value), **_interval(figure)},
        )

    def _libraries(self) -> tuple[str, ...]:
        fitted = ("scikit-learn", "scipy") if self.config.verifies else ()  # the LLRs, and score-logistic
        return ("torch", *fitted, *(LIBRARIES if "ecg" in self.config.modalities else ()))

    def _ready_made(self) -> str:
        return "vectors" if self.config.verifies else "beats"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _interval(figure: Figure) -> dict[str, float | None]:
    return {"low": _rounded(figure.low), "high": _rounded(figure.high)}


def settings_of(checkpoint: Checkpoint, settings: Settings, weights_file: str | None = None) -> Settings:
    """The settings under which a checkpoint's vectors were extracted; its weights must be at hand.

    Raises MmbioError where it was trained on a file of weights and another, or none, is given.
    """
    keys = [k for k in checkpoint.embeddings().values() if k["backbone"] == "resnet50"]
    others = tuple((m, k["backbone"]) for m, k in checkpoint.embeddings().items())
    settings = replace(settings, backbones=others)
    if not keys:
        if weights_file:
            raise MmbioError(f"{checkpoint.path}: no ResNet-50 behind it; leave --weights out")
        return settings
    known = {"imagenet1k-v1": "imagenet", f"random-{RANDOM_SEED}": "random"}
    trained_on = keys[0]["weights"]
    weights = weights_file or known.get(trained_on)
    if weights is None or weights_id(weights) != trained_on:
        cure = "leave --weights out" if trained_on in known else "give that ResNet-50 file with --weights PATH"
        raise MmbioError(f"{checkpoint.path}: trained on the weights {trained_on}; {cure}")
    return replace(settings, weights=weights, precision=keys[0]["precision"])
