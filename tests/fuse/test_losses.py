"""Losses: the joint loss by hand."""

from math import log

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mmbio.fuse.losses import joint

LOGITS = {
    "identification": torch.tensor([[0.0, 0.0, log(2.0)], [log(6.0), 0.0, 0.0]]),  # 1/2 and 6/8 on the truth
    "gender": torch.tensor([[0.0, log(3.0)], [0.0, 0.0]]),  # 3/4 and 1/2 on the truth
}
LABELS = {"identification": torch.tensor([2, 0]), "gender": torch.tensor([1, 0])}
IDENTIFICATION = (log(2.0) + log(8 / 6)) / 2
GENDER = (log(4 / 3) + log(2.0)) / 2 + 0.0


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"identification": 0.5, "gender": 0.5}, 0.5 * IDENTIFICATION + 0.5 * GENDER),
        ({"identification": 3.0, "gender": 1.0}, 0.75 * IDENTIFICATION + 0.25 * GENDER),
        ({"identification": 0.0, "gender": 2.0}, GENDER),
    ],
)
def test_joint_by_hand(weights: dict[str, float], expected: float) -> None:
    assert float(joint(LOGITS, LABELS, weights)) == pytest.approx(expected)


def test_the_papers_weights_are_the_default() -> None:
    logits = LOGITS | {"gender": torch.zeros(2, 2)}
    assert float(joint(logits, LABELS)) == pytest.approx(0.5 * IDENTIFICATION + 0.5 * log(2.0))


@pytest.mark.parametrize("weight", [0.5, 0.1, 7.0])
def test_one_task_alone_weighs_1(weight: float) -> None:
    only = {"identification": LOGITS["identification"]}
    loss = joint(only, LABELS, {"identification": weight, "gender": 0.5})
    assert float(loss) == pytest.approx(IDENTIFICATION)


def test_two_classes_are_the_binary_cross_entropy_of_the_difference() -> None:
    logits = torch.randn(20, 2, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(20) % 2
    binary = binary_cross_entropy_with_logits(logits[:, 1] - logits[:, 0], labels.float())
    torch.testing.assert_close(joint({"gender": logits}, {"gender": labels}), binary)
