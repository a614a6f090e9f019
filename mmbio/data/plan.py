"""Plan: the choices of one build-virtual run, and what a protocol makes of them."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

import pandas as pd

from mmbio.protocols import AGES, FOLDS, N_GENUINE, N_IMPOSTOR, TRIPLETS, Protocol


@dataclass(frozen=True)
class Plan:
    """The choices of one build-virtual run; those of the other protocol change nothing."""

    protocol: Protocol
    split: str = ""  # empty: the protocol's first
    scale: str = "quick"
    triplets: int | None = None  # per subject; None: the scale's
    subjects: int | None = None  # that are tested; None: as many as fit
    ages: tuple[int, int] = AGES
    folds: int = FOLDS
    seed: int = 0
    skip_unusable: bool = False
    match: str = "gender"  # chimeric subjects: gender or none
    genuine: str = "video"  # what the two sides of a genuine trial differ in
    same_gender: bool = False  # impostors of the subject's own gender
    n_genuine: int = N_GENUINE
    n_impostor: int = N_IMPOSTOR
    frames: int = 1  # taken of a test clip

    def __post_init__(self) -> None:
        object.__setattr__(self, "split", self.split or self.protocol.splits[0])

    @property
    def n_triplets(self) -> int:
        return TRIPLETS[self.scale] if self.triplets is None else self.triplets

    @property
    def asked(self) -> dict[str, Any]:
        """The choices that are not the defaults, as plain values."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "protocol"}
        default = {f.name: f.default for f in fields(self)} | {"split": self.protocol.splits[0]}
        differing = {name: value for name, value in chosen.items() if value != default[name]}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in differing.items()}


@dataclass(frozen=True)
class Drawn:
    """The tables of a manifest, what its description says beside the plan, and who was left out."""

    subjects: pd.DataFrame
    samples: pd.DataFrame
    items: pd.DataFrame
    info: dict[str, Any]
    more: dict[str, pd.DataFrame] = field(default_factory=dict)
    dropped: Counter[str] = field(default_factory=Counter)
