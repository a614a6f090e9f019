"""Score intervals: subjects are read off ids, and the draws are those of the trial bootstrap."""

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure.dcf import DEFAULT
from mmbio.measure.score_intervals import of_ids, of_subjects
from mmbio.measure.trial_bootstrap import trial_bootstrap

N, CLIPS = 12, 4


def trials() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Genuine and impostor scores, and the ids of both sides of a trial, genuine trials first."""
    rng = np.random.default_rng(0)
    own = [(f"p{s}/v/{a}", f"p{s}/v/{b}") for s in range(N) for a in range(CLIPS) for b in range(a)]
    other = [(f"p{s}/v/0", f"p{t}/w/1") for s in range(N) for t in range(s)]
    enrolment, probe = np.array([*own, *other], dtype=object).T
    return rng.normal(2, 1, len(own)), rng.normal(0, 1, len(other)), enrolment, probe


def test_it_is_the_bootstrap_of_the_subjects() -> None:
    genuine, impostor, enrolment, probe = trials()
    found = of_ids(genuine, impostor, enrolment, probe, 3, (DEFAULT,))
    one, other = (np.array([int(name[1 : name.index("/")]) for name in ids]) for ids in (enrolment, probe))
    labels = np.arange(len(enrolment)) < len(genuine)
    wanted = trial_bootstrap(np.concatenate([genuine, impostor]), labels, one, other, 3)
    low, high = found.intervals["eer"]
    assert 0 <= low < high <= 1
    order = [f"p{i}" for i in range(N)]
    assert sorted(order) != order  # so that numbers of subjects differ, and draws with them, by name alone
    assert low == pytest.approx(wanted.intervals["eer"][0], abs=0.03)
    assert found.methods == wanted.methods
    again = of_ids(genuine, impostor, enrolment, probe, 3, (DEFAULT,))
    assert found.intervals == again.intervals


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("p0", "the id 'p0' does not say its subject as SUBJECT/VIDEO/CLIP does"),
        ("/v/1", "the id '/' does not say its subject"),
        ("p5/v/1", "genuine between two subjects"),
    ],
)
def test_ids_that_name_nobody_or_somebody_else(name: str, told: str) -> None:
    genuine, impostor, enrolment, probe = trials()
    enrolment[0] = name
    with pytest.raises(MmbioError, match=told):
        of_ids(genuine, impostor, enrolment, probe, 0, (DEFAULT,))


def test_a_trial_without_a_subject() -> None:
    subjects = np.array(["a", "", "b"], dtype=object)
    with pytest.raises(MmbioError, match="--intervals: 1 of 3 trials have no subject; write one in every row"):
        of_subjects(np.ones(1), np.zeros(2), subjects, subjects, 0, (DEFAULT,))
