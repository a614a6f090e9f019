"""What a stored result decides, items or trials, and the decisions of two results matched by their ids."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

import numpy as np

from mmbio.errors import MmbioError
from mmbio.files import bytes_hash
from mmbio.measure.stored import CURE, Stored

VERIFICATION: Final = "verification"


@dataclass(frozen=True, eq=False)
class Decisions:
    """What a result decides: items, or trials of two sides."""

    ids: np.ndarray  # (n,) text
    subjects: np.ndarray  # (n,) int
    at: np.ndarray  # (sides, N) where each decision's items stand in these two: one side of items, two of trials
    labels: np.ndarray  # (N,) the truth: a class, or genuine

    @classmethod
    def of(cls, stored: Stored, task: str) -> Self:
        """A result's decisions on a task; raises MmbioError where its arrays are not there or at odds."""
        if task != VERIFICATION:
            ids, subjects, labels = stored.arrays("id", "subject", f"label_{task}")
            return cls(ids.astype(str), subjects, np.arange(len(ids))[None], labels)
        ids, subjects, items = stored.arrays("id", "subject", "item")
        enrolment, probe, genuine = stored.arrays("enrolment", "probe", "genuine")
        at = np.searchsorted(items, np.stack([enrolment, probe]))
        if len(items) == 0 or (items[np.minimum(at, len(items) - 1)] != [enrolment, probe]).any():
            raise MmbioError(f"{stored.folder / 'item.npy'}: some items of its trials are not in it; {CURE}")
        return cls(ids.astype(str), subjects, at, genuine)

    @property
    def hash(self) -> str:
        """Stands for the decisions in their order, their truth and their subjects."""
        parts = (self.ids, self.subjects, self.at, self.labels)
        return bytes_hash(*(np.ascontiguousarray(part).tobytes() for part in parts))

    @property
    def noun(self) -> str:
        return "items" if len(self.at) == 1 else "trials"

    @cached_property
    def sides(self) -> tuple[np.ndarray, ...]:
        """The subjects (N,) of each side."""
        return tuple(self.subjects[side] for side in self.at)

    @cached_property
    def n_subjects(self) -> int:
        return len(np.unique(self.subjects[self.at]))

    def some(self, rows: np.ndarray) -> str:
        """Up to three of some decisions, as they are called."""
        called = ["-".join(self.ids[self.at[:, row]]) for row in rows[:3]]
        return ", ".join(called) + (", ..." if len(rows) > 3 else "")


def matched(a: Decisions, b: Decisions) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N,) of A and of B, in an order in which they are the same decisions by their ids.

    Raises MmbioError where one has decisions that the other has not, where the truth differs, or where what is
    one subject to one is two to the other.
    """
    keys = _keys(a, b)
    rows = [np.argsort(key, kind="stable") for key in keys]
    if len(rows[0]) != len(rows[1]) or (keys[0][rows[0]] != keys[1][rows[1]]).any():
        raise _not_the_same(a, b, keys)
    labels = a.labels[rows[0]], b.labels[rows[1]]
    other = np.flatnonzero(labels[0] != labels[1])
    if other.size:
        shown = a.some(np.sort(rows[0][other]))
        raise MmbioError(
            f"A and B differ in the truth of {other.size} of {len(rows[0])} {a.noun} ({shown});"
            " evaluate both with the same labels"
        )
    for one, two in zip(a.sides, b.sides, strict=True):
        pairs = np.unique(np.stack([one[rows[0]], two[rows[1]]]), axis=1)
        if any(len(np.unique(side)) != pairs.shape[1] for side in pairs):
            raise MmbioError(
                f"A and B agree on the ids of {len(rows[0])} {a.noun} and not on whose they are: what is one subject to"
                " one is several to the other; evaluate both with the same subjects"
            )
    return rows[0], rows[1]


def _keys(a: Decisions, b: Decisions) -> tuple[np.ndarray, np.ndarray]:
    """A number (N,) for each decision, equal where the ids are."""
    names, index = np.unique(np.concatenate([a.ids, b.ids]), return_inverse=True)
    codes = index[: len(a.ids)], index[len(a.ids) :]
    found = []
    for decisions, code in zip((a, b), codes, strict=True):
        key = np.zeros(decisions.at.shape[1], np.int64)
        for side in decisions.at:
            key = key * len(names) + code[side]
        found.append(key)
    return found[0], found[1]


def _not_the_same(a: Decisions, b: Decisions, keys: tuple[np.ndarray, np.ndarray]) -> MmbioError:
    """What to say where two results rest on different decisions."""
    only = [np.flatnonzero(~np.isin(keys[i], keys[1 - i])) for i in (0, 1)]
    n_common = len(np.intersect1d(keys[0], keys[1]))
    shown = [f"only {name} has {d.some(rows)}" for name, d, rows in zip("AB", (a, b), only, strict=True) if len(rows)]
    known = [np.unique(d.ids[np.unique(d.at)]) for d in (a, b)]
    ids = len(np.intersect1d(known[0], known[1]))
    of_ids = f", of whose {len(known[0])} and {len(known[1])} samples {ids} are common" if len(a.at) == 2 else ""
    return MmbioError(
        f"A rests on {a.at.shape[1]} and B on {b.at.shape[1]} {a.noun}, {n_common} of them the same{of_ids}"
        f" ({'; '.join(shown) or 'some stand there twice'}); evaluate both on the same {a.noun}"
    )
