"""Losses ("Joint loss")."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmbio.protocols import TASK_WEIGHTS


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
