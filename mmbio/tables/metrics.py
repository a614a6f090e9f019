"""What a column may show: the metrics of result rows, and how each is printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mmbio.measure.results import ResultRow
from mmbio.protocols import MODALITIES


@dataclass(frozen=True)
class Metric:
    """Which figure of a result row is meant, and how its fraction is printed: times `scale`, with `decimals`."""

    tasks: tuple[str, ...]
    scale: float
    decimals: int
    counted: bool = False  # moves in steps of 1/n
    better: str = ""  # higher or lower; empty: neither
    name: str = ""  # the row's metric, where it is not called as the column's
    convention: str = ""  # the row's, where one metric has several

    @property
    def unit(self) -> str:
        """As printed behind a figure."""
        return "%" if self.scale == 100.0 else ""

    def is_of(self, row: ResultRow, called: str) -> bool:
        """True where a result row shows this metric, which columns call `called`."""
        return row.metric == (self.name or called) and (not self.convention or row.convention == self.convention)


_OF_CLASSES: Final = ("identification", "gender")
_OF_TRIALS: Final = ("verification",)
METRICS: Final[Mapping[str, Metric]] = MappingProxyType(
    {
        "accuracy": Metric(_OF_CLASSES, scale=100.0, decimals=1, counted=True, better="higher"),
        "eer": Metric(_OF_TRIALS, scale=100.0, decimals=2, better="lower", convention="linear"),
        "min_dcf": Metric(_OF_TRIALS, scale=1.0, decimals=3, better="lower"),
        "act_dcf": Metric(_OF_TRIALS, scale=1.0, decimals=3, better="lower"),
        "cllr": Metric(_OF_TRIALS, scale=1.0, decimals=3, better="lower", convention="logistic"),
        "cllr_pav": Metric(_OF_TRIALS, scale=1.0, decimals=3, better="lower", name="cllr", convention="pav"),
        "min_cllr": Metric(_OF_TRIALS, scale=1.0, decimals=3, better="lower"),
        # P(attention weight of a modality above its mean | attribute), and the paper's half width of it
        **{f"above_mean_{m}": Metric(_OF_TRIALS, scale=100.0, decimals=1) for m in MODALITIES},
        **{f"wald_half_width_{m}": Metric(_OF_TRIALS, scale=100.0, decimals=1) for m in MODALITIES},
    }
)
