"""Trials by the items of a manifest: those that build-virtual drew, or a user's list."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mmbio.data import trial_lists
from mmbio.data.manifest import Manifest
from mmbio.errors import MmbioError
from mmbio.files import content_hash


@dataclass(frozen=True)
class Trials:
    """Trials by the rows of their items, -1 where there is no such item, and the words that stand beside figures."""

    enrolment: np.ndarray
    probe: np.ndarray
    genuine: np.ndarray
    words: str

    @cached_property
    def hash(self) -> str:
        """16 hex digits that stand for the trials."""
        return content_hash([self.enrolment.tolist(), self.probe.tolist(), self.genuine.tolist(), self.words])

    def take(self, rows: np.ndarray) -> "Trials":
        """Some of the trials."""
        return Trials(self.enrolment[rows], self.probe[rows], self.genuine[rows], self.words)


def of_manifest(manifest: Manifest, part: str = "test") -> Trials:
    """The trials that build-virtual drew: of the test, or of dev."""
    table = manifest.trials[manifest.trials["part"] == part]
    numbers = manifest.items["item"].to_numpy(np.int64)
    order = np.argsort(numbers)
    sides = [order[np.searchsorted(numbers, table[s].to_numpy(np.int64), sorter=order)] for s in ("enrolment", "probe")]
    return Trials(sides[0], sides[1], table["genuine"].to_numpy(np.int64) == 1, str(manifest.info["trials"]))


def of_list(manifest: Manifest, found: trial_lists.TrialList, words: str, suffix: str | None = None) -> Trials:
    """The trials of a user's list, matched by the ids of the test items.

    Raises MmbioError where no trial is of the test items, showing ids of both sides.
    """
    test = np.flatnonzero((manifest.items["split"] == "test").to_numpy())
    ids = manifest.items["id"].to_numpy(str)[test]
    enrolment, probe = trial_lists.matched(ids, found, suffix)
    if not ((enrolment >= 0) & (probe >= 0)).any():
        raise trial_lists.not_found(ids, found, enrolment, probe)
    sides = [np.where(rows >= 0, test[rows], -1) for rows in (enrolment, probe)]
    return Trials(sides[0], sides[1], found.genuine, words)


def missing(asked: Trials, known: np.ndarray, usable: np.ndarray) -> MmbioError:
    """What to say where trials cannot be scored: those not among `known`, and of these those not `usable`."""
    n_unknown, n_empty = len(asked.genuine) - len(known), int((~usable).sum())
    reasons = [f"{n_unknown} name samples that are not there"] if n_unknown else []
    reasons += [f"{n_empty} have a side without any modality to compare"] if n_empty else []
    return MmbioError(
        f"{n_unknown + n_empty} of {len(asked.genuine)} trials cannot be scored ({', '.join(reasons)});"
        " give --missing-trials skip to leave them out and count them, or change the condition"
    )
