"""What is trained: the settings that, with a manifest, determine a checkpoint."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Final

from mmbio.conditions import Condition, combine, parse
from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES, PAIRS, PROTOCOLS, TASK_WEIGHTS, Protocol

SCORE_RULES: Final = ("score-sum", "score-product", "score-max")
LOGISTIC: Final = "score-logistic"
FEATURE_FUSIONS: Final = ("concat", "sum", "attention")
COSINE: Final = "cosine"
OF_CLASSES: Final = (*FEATURE_FUSIONS, *SCORE_RULES)  # what identification and gender are done with
OF_PAIRS: Final = (*FEATURE_FUSIONS, COSINE, LOGISTIC)  # what verification is done with


@dataclass(frozen=True)
class Optimiser:
    """How a network is trained; the paper says none of it."""

    rate: float = 3e-3  # of AdamW; rate, decay and patience were chosen on dev loss
    weight_decay: float = 0.1
    batch: int = 128
    epochs: int = 60  # at most
    patience: int = 8  # epochs without a lower dev loss
    least_gain: float = 1e-3  # a dev loss counts as lower from this difference on
    steps: int = 0  # batches an epoch of pairs, which have no end; 0: an epoch is all rows once


OPTIMISERS: Final[Mapping[str, Optimiser]] = MappingProxyType(
    {
        "multitask": Optimiser(),
        "audiovisual": Optimiser(
            rate=3e-4, weight_decay=0.1, batch=2 * PAIRS, epochs=40, steps=50, patience=6, least_gain=1e-4
        ),
    }
)


@dataclass(frozen=True)
class Config:
    """One experiment's training: a fusion of modalities for tasks under a condition."""

    protocol: str
    fusion: str
    modalities: tuple[str, ...]
    tasks: tuple[str, ...]
    condition: Condition = field(default_factory=Condition)
    seed: int = 0
    folds: int | None = None  # train the first so many fold models; None: all
    unseen: bool = False  # folds over subjects: test subjects were not trained on
    task_weights: Mapping[str, float] = field(default_factory=lambda: TASK_WEIGHTS)
    rule_weights: Mapping[str, float] | None = None  # score rules only; None: equal
    optimiser: Optimiser | None = None  # None: the protocol's
    segment_s: float | None = None  # of speech, where there is speech

    def __post_init__(self) -> None:
        protocol = PROTOCOLS[self.protocol]
        if self.optimiser is None:
            object.__setattr__(self, "optimiser", OPTIMISERS[self.protocol])
        known = MODALITIES if protocol.verifies else protocol.modalities
        object.__setattr__(self, "modalities", _ordered("modalities", self.modalities, known))
        self._check_fusion(protocol)
        kept = combine(e for e in self.condition.effects if e.modality in self.modalities)
        object.__setattr__(self, "condition", kept)  # what happens to others changes nothing
        for effect in (e for e in kept.effects if e.side != "both"):
            raise MmbioError(f"condition '{effect}': training has no sides; leave @{effect.side} out")
        object.__setattr__(self, "tasks", _ordered("tasks", self.tasks, protocol.tasks))
        if self.unseen and protocol.verifies:
            raise MmbioError("--unseen: verification always tests on subjects not trained on; leave it out")
        if self.unseen and "identification" in self.tasks:
            raise MmbioError("--unseen: subjects not trained on cannot be identified; use --tasks gender")
        self._check_task_weights(self.task_weights)
        if self.rule_weights is not None:
            self._check_rule_weights(self.rule_weights)

    @property
    def is_score_level(self) -> bool:
        return self.fusion in (*SCORE_RULES, LOGISTIC)

    @property
    def verifies(self) -> bool:
        """True where pairs are compared, False where items are classified."""
        return PROTOCOLS[self.protocol].verifies

    @property
    def how(self) -> Optimiser:
        """How a network is trained."""
        assert self.optimiser is not None
        return self.optimiser

    def members(self) -> tuple["Config", ...]:
        """The groups of networks to train: itself, or, at score level, one unimodal group a modality."""
        if not self.is_score_level:
            return (self,)
        alone = COSINE if self.verifies else "concat"
        return tuple(replace(self, fusion=alone, modalities=(m,), rule_weights=None) for m in self.modalities)

    def weights_of_rule(self) -> dict[str, float]:
        """The score rule's weight of each modality; equal where none are given."""
        return dict(self.rule_weights or {m: 1 / len(self.modalities) for m in self.modalities})

    def to_json(self) -> dict[str, Any]:
        """As plain values; `from_json` is the inverse."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "condition": str(self.condition),
            "modalities": list(self.modalities),
            "tasks": list(self.tasks),
            "task_weights": dict(self.task_weights),
            "rule_weights": dict(self.rule_weights) if self.rule_weights is not None else None,
            "optimiser": asdict(self.how),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Config":
        """The settings that `to_json` wrote."""
        plain = dict(value)
        plain["condition"] = parse(plain["condition"])
        plain["optimiser"] = Optimiser(**plain["optimiser"])
        return cls(**plain)

    def _check_fusion(self, protocol: Protocol) -> None:
        ours, other = (OF_PAIRS, OF_CLASSES) if protocol.verifies else (OF_CLASSES, OF_PAIRS)
        if self.fusion in other and self.fusion not in ours:
            raise MmbioError(
                f"--fusion {self.fusion}: not for the protocol {protocol.name}; choose from {', '.join(ours)} or give"
                " your own class"
            )

    def _check_task_weights(self, weights: Mapping[str, float]) -> None:
        known = PROTOCOLS[self.protocol].tasks
        if self.verifies:
            return
        if set(self.tasks) - set(weights) or set(weights) - set(known) or not _usable(weights[t] for t in self.tasks):
            raise MmbioError(
                f"--loss-weights {_listed(weights)}: expected a number >= 0 for each of {', '.join(self.tasks)},"
                " not all of them 0"
            )

    def _check_rule_weights(self, weights: Mapping[str, float]) -> None:
        if self.fusion not in SCORE_RULES:
            raise MmbioError(f"--rule-weights: only score rules take weights and {self.fusion} is none; leave it out")
        if set(weights) != set(self.modalities) or not _usable(weights.values()):
            raise MmbioError(
                f"--rule-weights {_listed(weights)}: expected a number >= 0 for each of {', '.join(self.modalities)},"
                " not all of them 0"
            )


def _usable(weights: Iterable[float]) -> bool:
    """True for finite weights of at least 0 with one above it."""
    given = list(weights)
    return all(0 <= w < float("inf") for w in given) and any(given)


def _listed(weights: Mapping[str, float]) -> str:
    return ",".join(f"{name}={w:g}" for name, w in weights.items())


def _ordered(what: str, given: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the protocol's order; unknown or repeated names are an error."""
    if not given or len(set(given)) != len(given) or not set(given) <= set(known):
        raise MmbioError(f"--{what} {','.join(given)}: expected one or more of {', '.join(known)}, each once")
    return tuple(name for name in known if name in given)
