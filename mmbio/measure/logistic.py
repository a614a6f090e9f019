"""score-logistic: the modalities' cosines weighed by a logistic regression, fitted on dev trials (4.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mmbio.errors import MmbioError

Coefficients = tuple[np.ndarray, float]  # weights (M,), 0 for who is not in the pattern; and the bias


@dataclass(frozen=True)
class Logistic:
    """A fit for every set of modalities that a trial may have; all without a penalty."""

    fits: dict[tuple[bool, ...], Coefficients]

    def scores(self, cosines: np.ndarray, present: np.ndarray) -> np.ndarray:
        """Log odds (T,) of cosines (T, M); present (T, M) bool says which modalities both sides have, NaN for none."""
        out = np.full(len(cosines), np.nan)
        for pattern, (weights, bias) in self.fits.items():
            rows = (present == np.array(pattern)).all(1)
            out[rows] = cosines[rows] @ weights + bias
        return out


def fit(cosines: np.ndarray, genuine: np.ndarray, modalities: Sequence[str]) -> Logistic:
    """Fit on the cosines (T, M) of dev trials, genuine (T,) bool; on one thread, whatever is set.

    Raises MmbioError where there is one class only, or a modality alone would get a negative weight: then more
    alike would count as less, and the modality tells nothing on dev.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if not 0 < genuine.sum() < len(genuine):
        raise MmbioError(
            f"score-logistic: {int(genuine.sum())} genuine of {len(genuine)} dev trials, where both kinds are needed;"
            " build a manifest whose dev subjects have two samples each"
        )
    n_modalities = cosines.shape[1]
    fits: dict[tuple[bool, ...], Coefficients] = {}
    for size in range(1, n_modalities + 1):
        for chosen in combinations(range(n_modalities), size):
            with threadpool_limits(1):
                found = LogisticRegression(C=np.inf, max_iter=1000).fit(cosines[:, chosen], genuine)
            if size == 1 and found.coef_[0, 0] < 0:
                raise MmbioError(
                    f"score-logistic: on the dev trials {modalities[chosen[0]]} alone gets the weight"
                    f" {found.coef_[0, 0]:.3g}, by which more alike counts as less; leave it out with --modalities"
                )
            weights = np.zeros(n_modalities)
            weights[list(chosen)] = found.coef_[0]
            pattern = tuple(m in chosen for m in range(n_modalities))
            fits[pattern] = weights, float(found.intercept_[0])
    return Logistic(fits)
