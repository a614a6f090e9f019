"""Settings: what one cell of a table trains, on what, under which condition, and how it is tested.

A spec gives them in pieces (its base, a row, a column); `check` reads a piece, `resolve` the
pieces together, with the protocol's own values where no piece says anything.
"""

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from mmbio import conditions
from mmbio.conditions import Condition
from mmbio.errors import MmbioError
from mmbio.fuse.config import OF_CLASSES, OF_PAIRS, SCORE_RULES
from mmbio.protocols import Protocol
from mmbio.tables import fields
from mmbio.tables.fields import Fields

KEYS: Final = (
    *("fusion", "modalities", "tasks", "train", "test", "weights", "segment_s", "given"),
    *("split", "unseen"),
)
_CLASS: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """What determines a cell's figure beside the data; hashable, equal where the work is equal."""

    fusion: str
    modalities: tuple[str, ...]  # in the protocol's order
    tasks: tuple[str, ...]  # what the networks are trained for, in the protocol's order
    train: Condition  # restricted to the modalities
    test: Condition
    weights: tuple[tuple[str, float], ...] = ()  # of a score-level rule; empty: all equal
    segment_s: float | None = None
    split: str = ""  # empty: that of the data at hand
    unseen: bool = False  # tested on subjects that were not trained on, by folds over subjects
    pairing: int | None = None  # the seed that builds the manifest; None: that of the data at hand
    seed: int | None = None  # of training; None: the run's

    def under(self, more: Condition) -> "Settings":
        """The settings with a further condition on training and test, where theirs says nothing of a modality."""
        return replace(self, train=_added(self.train, more), test=_added(self.test, more))


def condition(text: str, protocol: Protocol) -> Condition:
    """Read any condition text, in which `paper` stands for the protocol's own noise."""
    if not protocol.noise and conditions.PAPER in (part.strip() for part in text.split(",")):
        raise MmbioError(f"the protocol {protocol.name} has no levels of its own; write a condition or clean")
    return conditions.parse(text, protocol.modalities, protocol.noise)


def check(piece: Fields, protocol: Protocol, where: str) -> Fields:
    """The piece itself, after a look at every key and value in it.

    Raises MmbioError naming the place, the key and the allowed values.
    """
    fields.known(piece, KEYS, where)
    if "fusion" in piece:
        _fusion(fields.text(piece, "fusion", where), protocol, where)
    if "modalities" in piece:
        fields.choices(fields.texts(piece, "modalities", where), protocol.modalities, where, "modality")
    if "tasks" in piece:
        fields.choices(fields.texts(piece, "tasks", where), protocol.tasks, where, "task")
    for side in ("train", "test"):
        if side in piece:
            _condition(piece, side, protocol, where)
    if "weights" in piece:
        _weights(fields.table(piece, "weights", where), protocol, where)
    if "segment_s" in piece:
        _segment(piece, where)
    if "given" in piece:
        fields.text(piece, "given", where)
    if "split" in piece:
        fields.choices((fields.text(piece, "split", where),), protocol.splits, where, "split")
    if fields.flag(piece, "unseen", where) and protocol.verifies:
        raise MmbioError(f"{where}: 'unseen' is true, but verification always tests unseen subjects; leave it out")
    return piece


def resolve(pieces: Fields, protocol: Protocol, where: str) -> Settings:
    """Settings of checked pieces merged into one.

    Raises MmbioError where they contradict each other: weights on a fusion that takes none,
    or of other modalities than the cell's.
    """
    fusion = fields.text(pieces, "fusion", where) if "fusion" in pieces else protocol.fusion
    given = fields.texts(pieces, "modalities", where, protocol.modalities)
    modalities = fields.choices(given, protocol.modalities, where, "modality")
    tasks = fields.texts(pieces, "tasks", where, protocol.tasks)
    weights = _weights(fields.table(pieces, "weights", where, {}), protocol, where)
    if weights and fusion not in SCORE_RULES:
        raise MmbioError(
            f"{where}: 'weights' belong to {', '.join(SCORE_RULES)}, not to the fusion '{fusion}'; drop one of them"
        )
    if weights and tuple(modality for modality, _ in weights) != modalities:
        raise MmbioError(f"{where}: 'weights' should name the modalities {', '.join(modalities)}; give one for each")
    unseen = fields.flag(pieces, "unseen", where)
    if unseen and tasks != ("gender",):
        raise MmbioError(f"{where}: 'unseen' goes with gender alone; add tasks = [\"gender\"]")
    return Settings(
        fusion=fusion,
        modalities=modalities,
        tasks=fields.choices(tasks, protocol.tasks, where, "task"),
        train=_restricted(_condition(pieces, "train", protocol, where), modalities),
        test=_restricted(_condition(pieces, "test", protocol, where), modalities),
        weights=weights,
        segment_s=_segment(pieces, where) if "segment_s" in pieces else None,
        split=fields.text(pieces, "split", where) if "split" in pieces else "",
        unseen=unseen,
    )


def _fusion(name: str, protocol: Protocol, where: str) -> None:
    known = OF_PAIRS if protocol.verifies else OF_CLASSES
    if name not in known and not _CLASS.fullmatch(name):
        raise MmbioError(f"{where}: unknown fusion '{name}'; choose from {', '.join(known)} or package.module:Class")


def _condition(piece: Fields, side: str, protocol: Protocol, where: str) -> Condition:
    text = fields.text(piece, side, where) if side in piece else "clean"
    try:
        return condition(text, protocol)
    except MmbioError as error:
        raise MmbioError(f"{where}: '{side}': {error}") from error


def _added(own: Condition, more: Condition) -> Condition:
    """A condition and those effects of another on modalities that it leaves alone."""
    touched = {effect.modality for effect in own.effects}
    return conditions.combine([*own.effects, *(e for e in more.effects if e.modality not in touched)])


def _restricted(whole: Condition, modalities: tuple[str, ...]) -> Condition:
    return conditions.combine(effect for effect in whole.effects if effect.modality in modalities)


def _weights(given: Fields, protocol: Protocol, where: str) -> tuple[tuple[str, float], ...]:
    if not given:
        return ()
    names = fields.choices(given, protocol.modalities, where, "modality")
    weights = {name: fields.number(given[name]) for name in names}
    for name, weight in weights.items():
        if weight is None or not math.isfinite(weight) or weight < 0:
            raise MmbioError(f"{where}: the weight of {name} is {given[name]!r}; give a number of at least 0")
    if not any(weights.values()):
        raise MmbioError(f"{where}: all 'weights' are 0; give at least one modality a weight above 0")
    return tuple((name, weight) for name, weight in weights.items() if weight is not None)


def _segment(piece: Fields, where: str) -> float:
    seconds = fields.number(piece["segment_s"])
    if seconds is None or not 0 < seconds < math.inf:
        raise MmbioError(f"{where}: 'segment_s' is {piece['segment_s']!r}; give a number of seconds above 0")
    return seconds
