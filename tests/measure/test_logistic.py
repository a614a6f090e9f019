"""score-logistic: a fit by hand, patterns of missing modalities, and dev trials that tell nothing."""

import os
import subprocess
import sys
from math import log

import numpy as np
import pytest

from mmbio.errors import MmbioError
from mmbio.measure.logistic import Coefficients, Logistic, fit

NAMES = ("face", "voice")


def dev(n: int = 400, pull: tuple[float, ...] = (0.4, 0.2), seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Cosines (n, M), of which every second trial's are higher by `pull`."""
    genuine = np.arange(n) % 2 == 0
    noise = 0.2 * np.random.default_rng(seed).standard_normal((n, len(pull)))
    return np.clip(noise + genuine[:, None] * pull, -1, 1), genuine


def test_by_hand() -> None:
    # At a cosine of 0 one of four trials is genuine, at 1 three of four: the log odds are -log 3 and log 3.
    cosines = np.repeat([[0.0], [1.0]], 4, axis=0)
    genuine = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=bool)
    weights, bias = fit(cosines, genuine, ("face",)).fits[(True,)]
    assert weights == pytest.approx([2 * log(3)], rel=1e-3)
    assert bias == pytest.approx(-log(3), rel=1e-3)


@pytest.mark.parametrize("n_modalities", [1, 2, 3])
def test_a_fit_for_every_set_of_modalities(n_modalities: int) -> None:
    found = fit(*dev(pull=(0.4, 0.2, 0.3)[:n_modalities]), ("face", "finger", "voice")[:n_modalities])
    assert len(found.fits) == 2**n_modalities - 1
    for pattern, (weights, _) in found.fits.items():
        assert ((weights != 0) == np.array(pattern)).all()
        assert (weights >= 0).all()


def test_each_trial_is_scored_by_the_modalities_that_it_has() -> None:
    fits: dict[tuple[bool, ...], Coefficients] = {
        (True, True): (np.array([2.0, 1.0]), 0.5),
        (True, False): (np.array([4.0, 0.0]), -1.0),
        (False, True): (np.array([0.0, 3.0]), 0.0),
    }
    present = np.array([[1, 1], [1, 0], [0, 1], [0, 0]], dtype=bool)
    scores = Logistic(fits).scores(np.full((4, 2), 0.5), present)
    np.testing.assert_array_equal(scores, [2.0, 1.0, 1.5, np.nan])


def test_one_modality_keeps_its_order() -> None:
    cosines, genuine = dev()
    scores = fit(cosines, genuine, NAMES).scores(cosines, np.array([[True, False]]).repeat(len(genuine), 0))
    assert np.array_equal(np.argsort(scores, kind="stable"), np.argsort(cosines[:, 0], kind="stable"))


@pytest.mark.parametrize("pull", [(1.5, 0.2), (1.5, 1.5)])
def test_dev_trials_that_a_threshold_parts(pull: tuple[float, float]) -> None:
    cosines, genuine = dev(40, pull)
    scores = fit(cosines, genuine, NAMES).scores(cosines, np.ones_like(cosines, dtype=bool))
    assert np.isfinite(scores).all()
    assert scores[genuine].min() > scores[~genuine].max()


def test_cosines_that_are_all_0_weigh_nothing() -> None:
    cosines, genuine = dev()
    cosines[:, 1] = 0.0
    found = fit(cosines, genuine, NAMES)
    assert found.fits[(False, True)][0].tolist() == [0.0, 0.0]
    assert found.fits[(True, True)][0][1] == 0.0


@pytest.mark.parametrize(("n", "words"), [(0, "0 genuine of 6"), (6, "6 genuine of 6")])
def test_one_kind_of_trials(n: int, words: str) -> None:
    with pytest.raises(MmbioError, match=f"score-logistic: {words} dev trials, where both kinds are needed; build"):
        fit(np.zeros((6, 2)), np.arange(6) < n, NAMES)


def test_a_modality_by_which_more_alike_counts_as_less() -> None:
    with pytest.raises(MmbioError, match=r"dev trials voice alone gets the weight -\S+, by which more alike counts"):
        fit(*dev(pull=(0.4, -0.2)), NAMES)


SCRIPT = """
import numpy as np
from mmbio.measure.logistic import fit
genuine = np.arange(60_000) % 2 == 0
cosines = 0.2 * np.random.default_rng(0).standard_normal((60_000, 2)) + genuine[:, None] * [0.4, 0.2]
for weights, bias in fit(cosines, genuine, ("face", "voice")).fits.values():
    print(weights.tobytes().hex(), bias.hex())
"""


def test_the_same_numbers_on_any_number_of_threads() -> None:
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=os.environ | {"OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            check=True,
        ).stdout
        for n in ("1", "2")
    ]
    assert said[0] == said[1] != b""
