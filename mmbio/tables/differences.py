"""differences: one figure minus another, with an interval made of both of theirs.

Conventions: fractions; NaN ends where there is no interval. The formula is MOVER (Zou and Donner 2008), which
for two Wilson intervals is Newcombe's (1998, method 10). It takes the two figures as independent.
"""

import math
from dataclasses import dataclass
from typing import Protocol


class Bounded(Protocol):
    """A figure with an interval."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True)
class Span:
    """A value and the ends of its interval, NaN where it has none."""

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def holds_zero(self) -> bool:
        """True where the interval leaves open whether the value is above or below 0."""
        return self.low <= 0.0 <= self.high


def minus(first: Bounded, second: Bounded) -> Span:
    """The first minus the second; no interval where one of them has none."""
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Span(value, value - down, value + up)
