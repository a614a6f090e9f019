"""Condition: what happens to which modality on which side, as a text that parses back.

A condition is a comma-separated list of effects:

    face=0.97            sample noise at a level (see KINDS)
    face=blur:4          sample noise of another kind
    voice=random         the vector is replaced by standard-normal noise; the system is not told
    voice=zeros          the vector is replaced by zeros; the system is not told
    missing=ecg          the mask is 0: the system is told

and `clean` for none of them. A side may follow where trials have sides: `voice=random@probe`. Where a protocol has
noise levels of its own, the word `paper` stands for those of the modalities that are not missing.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbio.errors import MmbioError
from mmbio.protocols import MODALITIES

NULLS: Final = ("random", "zeros")
SIDES: Final = ("enrolment", "probe")
PAPER: Final = "paper"


@dataclass(frozen=True)
class Kind:
    """One kind of sample noise: what its level means, and from where to where it goes."""

    meaning: str
    largest: float
    least: float = 0.0  # at 0 nothing happens, but to kinds that go below it


# Sample noise per modality; a bare number is a level of the kind in DEFAULT.
KINDS: Final[Mapping[str, Mapping[str, Kind]]] = MappingProxyType(
    {
        "ecg": {"gaussian": Kind("standard deviation of Gaussian noise on min-max scaled beats", 10.0)},
        "face": {
            "black": Kind("share of pixels turned black", 1.0),
            "blur": Kind("standard deviation of the blur in pixels", 75.0),
            "lowres": Kind("share of width and height taken off", 0.99),
            "crop": Kind("share of width and height turned black around the centre", 1.0),
        },
        "finger": {"black": Kind("share of pixels turned black", 1.0)},
        "voice": {"snr": Kind("signal-to-noise ratio of white noise in dB", 80.0, -40.0)},
    }
)
DEFAULT: Final[Mapping[str, str]] = MappingProxyType({"ecg": "gaussian", "face": "black", "finger": "black"})


@dataclass(frozen=True, order=True)
class Effect:
    """One modality's fate: a noise level, a null embedding, or a mask of 0 (`missing`)."""

    modality: str
    value: float | str  # a level, `kind:level`, one of NULLS, or "missing"
    side: str = "both"

    def __str__(self) -> str:
        if self.value == "missing":
            text = f"missing={self.modality}"
        elif isinstance(self.value, float):
            text = f"{self.modality}={self.value!r}".removesuffix(".0")
        else:
            text = f"{self.modality}={self.value}"
        return text if self.side == "both" else f"{text}@{self.side}"


@dataclass(frozen=True)
class Condition:
    """At most one effect for each modality and side, in a canonical order."""

    effects: tuple[Effect, ...] = ()

    def __str__(self) -> str:
        return ",".join(str(effect) for effect in self.effects) or "clean"

    def noise(self, modality: str) -> float:
        """The level of the default kind of sample noise on a modality, 0 where there is none."""
        levels = [e.value for e in self.effects if e.modality == modality and isinstance(e.value, float)]
        return levels[0] if levels else 0.0

    def degraded(self, modality: str) -> tuple[str, float] | None:
        """The (kind, level) of sample noise on a modality, or None where there is none."""
        for e in self.effects:
            if e.modality == modality and isinstance(e.value, float):
                return (DEFAULT[modality], e.value) if e.value else None
            if e.modality == modality and ":" in str(e.value):
                kind, _, level = str(e.value).partition(":")
                return (kind, float(level)) if float(level) or KINDS[modality][kind].least else None
        return None

    def null(self, modality: str, side: str = "probe") -> str | None:
        """The null embedding that replaces a modality on a side: `random`, `zeros` or None."""
        found = [e.value for e in self._on(modality, side) if e.value in NULLS]
        return str(found[0]) if found else None

    def missing(self, modality: str, side: str = "probe") -> bool:
        """True where the system is told that the modality is not there."""
        return any(e.value == "missing" for e in self._on(modality, side))

    def _on(self, modality: str, side: str) -> list[Effect]:
        return [e for e in self.effects if e.modality == modality and e.side in ("both", side)]


def parse(text: str, modalities: Iterable[str] = MODALITIES, levels: Mapping[str, float] | None = None) -> Condition:
    """Read a condition; `parse(str(c)) == c` for every condition c.

    `levels` are what `paper` stands for, of all modalities that the text does not say are missing (None: the word
    is unknown). Raises MmbioError naming the effect, what was expected and the cure.
    """
    known = tuple(modalities)
    parts = [part.strip() for part in text.split(",")]
    words = ("", "clean") if levels is None else ("", "clean", PAPER)
    effects = [_parse_effect(p, known) for p in parts if p not in words]
    if levels is not None and PAPER in parts:
        gone = {e.modality for e in effects if e.value == "missing" and e.side == "both"}
        effects += of_levels({m: level for m, level in levels.items() if m not in gone}).effects
    return combine(effects)


def combine(effects: Iterable[Effect]) -> Condition:
    """A condition of these effects, refused where two of them meet on one modality and side."""
    ordered = tuple(sorted(set(effects), key=lambda e: (e.modality, e.side, str(e.value))))
    for i, first in enumerate(ordered):
        for second in ordered[i + 1 :]:
            same_side = first.side == second.side or "both" in (first.side, second.side)
            if first.modality == second.modality and same_side:
                raise MmbioError(f"condition: '{first}' and '{second}' both change {first.modality}; give one of them")
    return Condition(ordered)


def of_levels(levels: Mapping[str, float]) -> Condition:
    """The condition of sample noise at these levels, such as a protocol's own."""
    return combine(Effect(modality, float(level)) for modality, level in levels.items())


def _parse_effect(text: str, known: tuple[str, ...]) -> Effect:
    body, at, side = text.partition("@")
    if at and side not in SIDES:
        raise MmbioError(f"condition '{text}': unknown side '{side}'; use @enrolment or @probe, or none for both")
    name, equals, value = body.partition("=")
    if not equals:
        raise MmbioError(f"condition '{text}': expected MODALITY=VALUE, such as face=0.97 or missing=ecg")
    modality = value if name == "missing" else name
    if modality not in known:
        raise MmbioError(f"condition '{text}': unknown modality '{modality}'; choose from {', '.join(known)}")
    where = side if at else "both"
    if name == "missing":
        return Effect(modality, "missing", where)
    if value in NULLS:
        return Effect(modality, value, where)
    level = _level(text, modality, value)
    if at:
        raise MmbioError(f"condition '{text}': sample noise has no side; write {modality}={value}")
    return Effect(modality, level)


def _level(text: str, modality: str, value: str) -> float | str:
    name, colon, number = value.rpartition(":")
    kinds = KINDS[modality]
    if (colon and name not in kinds) or (not colon and modality not in DEFAULT):
        named = ", ".join(f"{modality}={kind}:LEVEL" for kind in kinds)
        raise MmbioError(f"condition '{text}': expected {modality}=random, {modality}=zeros or {named}")
    kind = kinds[name or DEFAULT[modality]]
    try:
        level = float(number)
    except ValueError:
        level = math.nan
    if not kind.least <= level <= kind.largest:
        raise MmbioError(
            f"condition '{text}': expected a number from {kind.least:g} to {kind.largest:g} ({kind.meaning}),"
            f" random or zeros, not '{number}'"
        )
    level += 0.0  # -0.0 becomes 0.0
    return level if name in ("", DEFAULT.get(modality)) else f"{name}:{f'{level!r}'.removesuffix('.0')}"
