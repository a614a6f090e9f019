"""Score intervals: EER and minDCF of scores whose subjects are drawn; ids say their subject, SUBJECT/..."""

from collections.abc import Sequence

import numpy as np

from mmbio.errors import MmbioError
from mmbio.measure.dcf import Cost
from mmbio.measure.trial_bootstrap import TrialBootstrap, trial_bootstrap


def of_ids(
    genuine: np.ndarray,
    impostor: np.ndarray,
    enrolment: np.ndarray,
    probe: np.ndarray,
    seed: int,
    costs: Sequence[Cost],
) -> TrialBootstrap:
    """Intervals of scores (G,) and (I,), whose ids (G + I,) are those of the genuine trials, then the others.

    Raises MmbioError for an id that names no subject, and for subjects at odds with the labels.
    """
    return of_subjects(genuine, impostor, _subjects(enrolment), _subjects(probe), seed, costs)


def of_subjects(
    genuine: np.ndarray,
    impostor: np.ndarray,
    enrolment: np.ndarray,
    probe: np.ndarray,
    seed: int,
    costs: Sequence[Cost],
) -> TrialBootstrap:
    """Intervals as `of_ids` gives them, by the subjects (G + I,) of both sides in place of ids.

    Raises MmbioError for a trial without a subject, and for subjects at odds with the labels.
    """
    n_empty = int(((enrolment == "") | (probe == "")).sum())
    if n_empty:
        raise MmbioError(
            f"--intervals: {n_empty} of {len(probe)} trials have no subject; write one in every row, or leave"
            " --intervals out"
        )
    scores = np.concatenate([genuine, impostor])
    labels = np.arange(scores.size) < genuine.size
    return trial_bootstrap(scores, labels, *_numbered(enrolment, probe), seed, costs=costs)


def _subjects(ids: np.ndarray) -> np.ndarray:
    import pandas as pd

    codes, names = pd.factorize(ids)
    found = [str(one).partition("/") for one in names]
    without = next((f"{name}{slash}" for name, slash, _ in found if not name or not slash), None)
    if without is not None:
        raise MmbioError(
            f"--intervals: the id '{without}' does not say its subject as SUBJECT/VIDEO/CLIP does, and trials of one"
            " subject are not independent; write ids so, or leave --intervals out"
        )
    return np.array([name for name, _, _ in found], dtype=object)[codes]


def _numbered(enrolment: np.ndarray, probe: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import pandas as pd

    index, _ = pd.factorize(np.concatenate([enrolment, probe]), sort=True)
    return index[: enrolment.size], index[enrolment.size :]
