"""Score-level fusion: the sum, product and max rules over unimodal posteriors ("Fusion Methods")."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

EPS: Final = float(np.finfo(np.float32).tiny)  # keeps log p finite


def _sum(posteriors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray((weights * posteriors).sum(0))


def _product(posteriors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    logs = (weights * np.log(np.maximum(posteriors, EPS))).sum(0)
    return np.asarray(np.exp(logs - logs.max(-1, keepdims=True)))


def _max(posteriors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray((weights * posteriors).max(0))


RULES: Final[Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = MappingProxyType(
    {"score-sum": _sum, "score-product": _product, "score-max": _max}
)


def fuse(rule: str, posteriors: np.ndarray, weights: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Combine posteriors (M, N, C) of M modalities by a rule into fused posteriors (N, C) that sum to 1.

    sum: sum of w p; product: product of p^w; max: maximum of w p. `weights` (M,), `present` (N, M) bool:
    a modality that is told to be missing has the weight 0 for that item. An item with no modality
    left gets equal posteriors, and one with NaN posteriors, as a fold has where it does not test, keeps NaN.
    """
    each = weights[:, None, None] * present.T[:, :, None]  # (M, N, 1)
    fused = RULES[rule](posteriors.astype(np.float64), each)
    total = fused.sum(-1, keepdims=True)
    n_classes = fused.shape[-1]
    return np.where(total == 0, 1.0 / n_classes, fused / np.where(total == 0, 1.0, total))
