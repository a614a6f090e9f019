"""Losses: the joint loss of tasks (multitask, "Joint loss"), the contrastive loss of pairs (audiovisual, 3.1)."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy, relu

from mmbio.protocols import TASK_WEIGHTS

MARGIN = 1.0  # the paper does not say; of distances from 0 to 2: an impostor pair costs nothing from a cosine of 0 on


def joint(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], weights: Mapping[str, float] = TASK_WEIGHTS
) -> Tensor:
    """The weighted mean of the tasks' cross-entropies; one task alone weighs 1.

    logits: task -> (B, classes), labels: task -> (B,) int64. Gender has two classes: its cross-entropy is
    the paper's binary cross-entropy of the difference of the two logits.
    """
    total = sum(weights[task] for task in logits)
    terms = [weights[task] / total * cross_entropy(out, labels[task]) for task, out in logits.items()]
    return torch.stack(terms).sum()


def contrastive(first: Tensor, second: Tensor, genuine: Tensor, margin: float = MARGIN) -> Tensor:
    """The contrastive loss of pairs of fused vectors (B, F), genuine (B,) bool.

    The distance is d = 1 - cosine, since the cosine is what trials are scored by (the paper does not say):
    genuine pairs cost d^2, impostor pairs max(0, margin - d)^2 (Hadsell, Chopra and LeCun, 2006).
    """
    distance = 1 - cosine_similarity(first, second)
    return torch.where(genuine, distance, relu(margin - distance)).square().mean()
