"""Attention: weights over those who are there, by hand and as properties."""

from math import log, nan

import pytest
import torch
from torch import Tensor

from mmbio.fuse.attention import Attention

DIMS = (3, 4, 5)
PRESENT = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], dtype=torch.bool)


def vectors() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4, dim, generator=generator) for dim in DIMS]


@pytest.mark.parametrize("norm", ["batch", "l2"])
def test_weights_are_shared_out_among_the_present(norm: str) -> None:
    fused, weights = Attention(DIMS, (7, 6), norm)(vectors(), PRESENT)
    assert fused.shape == (4, 6)
    assert weights.shape == (4, 3)
    torch.testing.assert_close(weights.sum(1), torch.tensor([1.0, 1.0, 1.0, 0.0]))
    assert ((weights > 0) == PRESENT).all()
    assert weights[2, 2] == 1.0


def test_all_missing_gives_zeros() -> None:
    fused, weights = Attention(DIMS, (6,), "batch")(vectors(), torch.zeros(4, 3, dtype=torch.bool))
    assert not fused.any()
    assert not weights.any()


@pytest.mark.parametrize("norm", ["batch", "l2"])
@pytest.mark.parametrize("anything", [0.0, nan])
def test_gradients_are_finite(norm: str, anything: float) -> None:
    module = Attention(DIMS, (6,), norm)
    inputs = [v.masked_fill(~PRESENT[:, m : m + 1], anything).requires_grad_() for m, v in enumerate(vectors())]
    module(inputs, PRESENT)[0].square().sum().backward()
    assert all(v.grad is not None and v.grad.isfinite().all() for v in (*inputs, *module.parameters()))


@pytest.mark.parametrize(
    ("present", "alpha", "expected"),
    [((1, 1), (0.75, 0.25), 0.75 * 1.4 + 0.25 * 2.0), ((1, 0), (1.0, 0.0), 1.4), ((0, 1), (0.0, 1.0), 2.0)],
)
def test_by_hand(present: tuple[int, int], alpha: tuple[float, float], expected: float) -> None:
    module = Attention((2, 1), (1,), "l2")
    first, second = module.projections.layers
    with torch.no_grad():
        for layer, value in ((first, 1.0), (second, -2.0)):
            layer.weight.fill_(value)  # type: ignore[operator]
            layer.bias.zero_()  # type: ignore[operator]
        module.scores.weight.zero_()
        module.scores.weight[0, 2] = -log(3.0)  # the first score reads the second's normalised vector, -1
        module.scores.bias.zero_()
    fused, weights = module([torch.tensor([[3.0, 4.0]]), torch.tensor([[-5.0]])], torch.tensor([present]).bool())
    torch.testing.assert_close(weights, torch.tensor([alpha]))
    torch.testing.assert_close(fused, torch.tensor([[expected]]))


@pytest.mark.parametrize("norm", ["batch", "l2"])
@pytest.mark.parametrize("anything", [1e9, nan])
def test_a_missing_vector_has_no_influence(norm: str, anything: float) -> None:
    module = Attention(DIMS, (6,), norm)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    plain = module(vectors(), PRESENT)
    module.load_state_dict(state)
    changed = [v.masked_fill(~PRESENT[:, m : m + 1], anything) for m, v in enumerate(vectors())]
    for found, expected in zip(module(changed, PRESENT), plain, strict=True):
        torch.testing.assert_close(found, expected)
