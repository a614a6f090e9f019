"""The bootstrap of calibration figures: against repeated trials draw by draw, and the draws of other figures."""

import numpy as np
import pytest

from mmbio.measure.calibration import BITS, cllr, min_cllr, penalties
from mmbio.measure.calibration_bootstrap import NO_ERRORS, interval, mean_draws, min_cllr_draws
from mmbio.measure.intervals import of_error_rate
from mmbio.measure.rates import eer, points
from mmbio.measure.trial_bootstrap import NO_DRAWS, TOO_FEW, trial_bootstrap_draws

DRAWS = 60
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def trials(seed: int, n_subjects: int, decimals: int) -> Arrays:
    """Scores (T,), genuine, and the subjects of both sides, whose numbers have gaps."""
    rng = np.random.default_rng(seed)
    names = 10 + 3 * np.arange(n_subjects)
    enrolment, probe = rng.choice(names, (2, 40 * n_subjects))
    probe = np.where(rng.random(probe.size) < 0.4, enrolment, probe)
    genuine = enrolment == probe
    return np.round(rng.normal(genuine * 1.5, 1), decimals), genuine, enrolment, probe


def repeated(of: Arrays, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Scores and kinds with every trial as often as each draw of subjects has it."""
    scores, genuine, enrolment, probe = of
    names = np.unique([enrolment, probe])
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
    found = []
    for times in drawn:
        of_side = [times[np.searchsorted(names, side)] for side in (enrolment, probe)]
        often = np.where(genuine, of_side[0], of_side[0] * of_side[1])
        found.append((np.repeat(scores, often), np.repeat(genuine, often)))
    return found


@pytest.mark.parametrize(("n_subjects", "decimals"), [(12, 6), (12, 1), (3, 0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_draws_are_figures_of_repeated_trials(seed: int, n_subjects: int, decimals: int) -> None:
    of = trials(seed, n_subjects, decimals)
    scores, genuine = of[:2]
    costs = {"cllr": penalties(scores, genuine) / BITS, "ones": np.ones(scores.size)}
    means = mean_draws(costs, genuine, *of[2:], seed, DRAWS)
    least = min_cllr_draws(*of, seed, DRAWS)
    others = trial_bootstrap_draws(*of, seed, draws=DRAWS)["eer"]
    for k, (drawn, kinds) in enumerate(repeated(of, seed)):
        if kinds.all() or not kinds.any():
            assert np.isnan([means["cllr"][k], means["ones"][k], least[k], others[k]]).all()
            continue
        kind = drawn[kinds], drawn[~kinds]
        assert means["cllr"][k] == pytest.approx(cllr(*kind))
        assert means["ones"][k] == pytest.approx(2)
        assert least[k] == pytest.approx(min_cllr(*kind), abs=1e-12)
        assert others[k] == pytest.approx(eer(points(*kind)))  # one seed, the same draws


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    of = trials(0, 12, 2)
    whole = min_cllr_draws(*of, 0, DRAWS)
    monkeypatch.setattr("mmbio.measure.trial_bootstrap.BATCH", 1000)
    assert np.array_equal(min_cllr_draws(*of, 0, DRAWS), whole)


@pytest.mark.parametrize(
    ("values", "n_subjects", "method"),
    [
        ([0.1, 0.2, np.nan], 2, TOO_FEW),
        ([np.nan, np.nan], 9, NO_DRAWS),
        ([0.0, 0.0, np.nan], 9, NO_ERRORS),
    ],
)
def test_where_there_is_no_interval(values: list[float], n_subjects: int, method: str) -> None:
    found = interval(0.1, np.array(values), n_subjects)
    assert np.isnan([found.low, found.high]).all()
    assert found.method == method
    assert method.startswith("none: ")


def test_the_interval_is_that_of_error_rates() -> None:
    draws = np.exp(np.random.default_rng(0).normal(-1, 0.2, 1000))
    found = interval(0.37, np.append(draws, np.nan), 9)
    assert found == (*of_error_rate(0.37, draws, 9), "subject-bootstrap")
    assert found.low < 0.37 < found.high
    assert interval(1.0, np.ones(9), 9) == (1.0, 1.0, "subject-bootstrap")
