"""Score intervals: EER and minDCF of scores with ids, whose subjects are drawn; ids say their subject, SUBJECT/..."""

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
    subjects = [_subjects(ids) for ids in (enrolment, probe)]
    scores = np.concatenate([genuine, impostor])
    labels = np.arange(scores.size) < genuine.size
    return trial_bootstrap(scores, labels, *_numbered(*subjects), seed, costs=costs)


def _subjects(ids: np.ndarray) -> np.ndarray:
    found = [str(one).partition("/") for one in ids]
    without = next((f"{name}{slash}" for name, slash, _ in found if not name or not slash), None)
    if without is not None:
        raise MmbioError(
            f"--intervals: the id '{without}' does not say its subject as SUBJECT/VIDEO/CLIP does, and trials of one"
            " subject are not independent; write ids so, or leave --intervals out"
        )
    return np.array([name for name, _, _ in found])


def _numbered(enrolment: np.ndarray, probe: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, index = np.unique(np.concatenate([enrolment, probe]), return_inverse=True)
    return index[: enrolment.size], index[enrolment.size :]
