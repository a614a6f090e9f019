"""Detection cost: C(t) = C_miss P FNMR(t) + C_fa (1 - P) FMR(t), divided by min(C_miss P, C_fa (1 - P)).

minDCF is its minimum over the thresholds, so at most 1; actDCF is its value at the threshold that
log-likelihood ratios should have.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from mmbio.errors import MmbioError
from mmbio.measure.rates import Points, checked


@dataclass(frozen=True)
class Cost:
    """What errors cost: the prior of a genuine trial, the cost of a miss and of a false match.

    Raises MmbioError for a prior outside (0, 1), ValueError for a cost that is not positive.
    """

    p_target: float = 0.01  # the audio-visual paper
    c_miss: float = 1.0  # our reading, both
    c_fa: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.p_target < 1:
            raise MmbioError(
                f"--p-target {self.p_target}: expected a probability between 0 and 1, both excluded, such as 0.01"
            )
        if not (0 < self.c_miss < math.inf and 0 < self.c_fa < math.inf):
            raise ValueError(f"expected positive costs, got c_miss {self.c_miss} and c_fa {self.c_fa}")

    @property
    def text(self) -> str:
        """The parameters as they stand beside every figure, such as "P=0.01 C=1,1"."""
        return f"P={_shortest(self.p_target)} C={_shortest(self.c_miss)},{_shortest(self.c_fa)}"

    @property
    def of_misses(self) -> float:
        """What FNMR is multiplied by in the normalised cost."""
        return self.c_miss * self.p_target / self._norm

    @property
    def of_false_matches(self) -> float:
        """What FMR is multiplied by in the normalised cost."""
        return self.c_fa * (1 - self.p_target) / self._norm

    @property
    def threshold(self) -> float:
        """From which log-likelihood ratio (in nats) on accepting costs least."""
        return math.log(self.c_fa * (1 - self.p_target) / (self.c_miss * self.p_target))

    @property
    def _norm(self) -> float:
        return min(self.c_miss * self.p_target, self.c_fa * (1 - self.p_target))


DEFAULT: Final = Cost()

PRESETS: Final[Mapping[str, tuple[Cost, ...]]] = MappingProxyType(
    {
        "sre08": (Cost(0.01, 10, 1),),
        "sre10": (Cost(0.001),),
        "sre12": (Cost(0.01), Cost(0.001)),  # the mean of the two
        "sre16": (Cost(0.01), Cost(0.005)),  # the mean of the two
        "voxceleb": (Cost(0.05),),
    }
)


def min_dcf(
    points: Points, p_target: float = DEFAULT.p_target, c_miss: float = DEFAULT.c_miss, c_fa: float = DEFAULT.c_fa
) -> float:
    """The least normalised detection cost over all thresholds; raises as `Cost` does."""
    return _least(points, Cost(p_target, c_miss, c_fa))


def min_dcf_preset(points: Points, name: str) -> float:
    """minDCF with the parameters of one of PRESETS; of two, the mean."""
    costs = PRESETS[name]
    return sum(_least(points, cost) for cost in costs) / len(costs)


def preset_text(name: str) -> str:
    """The parameters of a preset, as they stand beside its figure."""
    texts = [cost.text for cost in PRESETS[name]]
    return texts[0] if len(texts) == 1 else f"mean of {' and '.join(texts)}"


def act_dcf(
    genuine: ArrayLike,
    impostor: ArrayLike,
    p_target: float = DEFAULT.p_target,
    c_miss: float = DEFAULT.c_miss,
    c_fa: float = DEFAULT.c_fa,
) -> float:
    """The normalised detection cost of log-likelihood ratios (nats) at t = log[C_fa (1 - P) / (C_miss P)].

    Above 1 where deciding without the scores would cost less; raises as `Cost` and `rates.checked` do.
    """
    cost = Cost(p_target, c_miss, c_fa)
    genuine, impostor = checked(genuine, impostor)
    threshold = np.float64(cost.threshold)  # float32 scores are compared with it, not with its rounding
    fnmr = np.count_nonzero(genuine < threshold) / genuine.size
    fmr = np.count_nonzero(impostor >= threshold) / impostor.size
    return cost.of_misses * fnmr + cost.of_false_matches * fmr


def _least(points: Points, cost: Cost) -> float:
    misses, matches = points.cheapest(cost.of_misses / points.n_genuine, cost.of_false_matches / points.n_impostor)
    fnmr, fmr = misses / points.n_genuine, matches / points.n_impostor
    return min(1.0, cost.of_misses * fnmr + cost.of_false_matches * fmr)  # 1: rounding at an end point


def _shortest(value: float) -> str:
    text = f"{value:g}"
    return text if float(text) == value else str(float(value))
