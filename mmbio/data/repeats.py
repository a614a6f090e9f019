"""Repeats: rows that are of one trial again; those that agree stand, those that do not are refused, in every form."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from mmbio.errors import MmbioError

if TYPE_CHECKING:
    import pandas as pd

    from mmbio.data.trial_lists import Layout

LABELS: Final = "one trial as genuine and as impostor"  # what rows are that differ in it
SCORES: Final = "one trial with two scores"


def repeated(found: "Layout", frame: "pd.DataFrame", values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Which rows (T,) bool of a `trial_lists.table` have the enrolment and probe of a row before them.

    `values`: what rows are, LABELS or SCORES, that differ in these (T,). Rows without an id are of no trial.
    Raises MmbioError naming both rows where one differs from the first of its trial.
    """
    import pandas as pd

    enrolment, probe = (frame[name].cat for name in ("enrolment", "probe"))
    keys = enrolment.codes.to_numpy(np.int64) * len(probe.categories) + probe.codes.to_numpy()
    again = np.zeros(len(keys), dtype=bool)
    ascending = np.sort(keys)  # several times faster than a table of hashes, which only lists with repeats need
    if not (ascending[1:] == ascending[:-1]).any():
        return again
    again = pd.Index(keys).duplicated()
    first = np.flatnonzero(~again)[pd.factorize(keys)[0]]
    again &= ((frame["enrolment"] != "") & (frame["probe"] != "")).to_numpy()
    for what, of in values.items():
        differs = again & (of != of[first])
        if differs.any():
            k = int(differs.argmax())
            rows = found.where(int(frame.index[first[k]]), int(frame.index[k]))
            raise MmbioError(f"{rows}: {what}; keep one of them")
    return again


def numbered(*sides: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """One int64 for each pair of ids: (trials' enrolments, scores' enrolments), and the same of the probes."""
    import pandas as pd

    codes, names = pd.factorize(np.concatenate([ids for side in sides for ids in side]))
    cuts = np.cumsum([len(ids) for side in sides for ids in side])[:-1]
    e_wanted, e_given, p_wanted, p_given = np.split(codes.astype(np.int64), cuts)
    return e_wanted * len(names) + p_wanted, e_given * len(names) + p_given
