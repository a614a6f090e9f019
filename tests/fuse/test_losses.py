"""Losses: the joint loss and the contrastive loss by hand."""

from math import log

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from mmbio.fuse.losses import contrastive, joint

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


# Of the x axis with itself, the y axis, the opposite, and (3, 4): cosines 1, 0, -1 and 0.6.
ONE = torch.tensor([[1.0, 0.0]])
OTHERS = {1.0: [[2.0, 0.0]], 0.0: [[0.0, 5.0]], -1.0: [[-1.0, 0.0]], 0.6: [[3.0, 4.0]]}


@pytest.mark.parametrize(
    ("cosine", "genuine", "margin", "expected"),
    [
        (1.0, True, 1.0, 0.0),
        (0.0, True, 1.0, 1.0),
        (-1.0, True, 1.0, 4.0),
        (0.6, True, 0.1, 0.16),
        (1.0, False, 1.0, 1.0),
        (0.0, False, 1.0, 0.0),
        (-1.0, False, 1.0, 0.0),
        (0.6, False, 1.0, 0.36),
        (0.6, False, 0.5, 0.01),
        (0.6, False, 0.3, 0.0),
        (0.0, False, 1.5, 0.25),
    ],
)
def test_contrastive_by_hand(cosine: float, genuine: bool, margin: float, expected: float) -> None:
    loss = contrastive(ONE, torch.tensor(OTHERS[cosine]), torch.tensor([genuine]), margin)
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_contrastive_is_the_mean_over_pairs_whatever_their_length() -> None:
    second = torch.tensor([OTHERS[0.6][0], OTHERS[0.6][0], OTHERS[0.0][0]])
    loss = contrastive(ONE.repeat(3, 1) * 9, second, torch.tensor([True, False, True]), 1.0)
    assert float(loss) == pytest.approx((0.16 + 0.36 + 1.0) / 3)


def test_contrastive_of_a_zero_vector_is_that_of_a_cosine_of_0() -> None:
    loss = contrastive(torch.zeros(1, 2), ONE, torch.tensor([True]), 1.0)
    assert float(loss) == pytest.approx(1.0)


def test_contrastive_pulls_genuine_pairs_together_and_pushes_others_apart() -> None:
    for genuine, direction in ((True, 1.0), (False, -1.0)):
        first = torch.tensor([[1.0, 0.0]], requires_grad=True)
        contrastive(first, torch.tensor([[3.0, 4.0]]), torch.tensor([genuine]), 1.0).backward()  # type: ignore[no-untyped-call]
        assert first.grad is not None
        assert float(first.grad[0, 1]) * direction < 0  # a step against it turns towards, or away from, the other
