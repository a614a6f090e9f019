"""Concat: the layers by hand, and no influence of who is missing."""

from math import nan

import pytest
import torch
from torch import nn

from mmbio.fuse.concat import Concat

DIMS = (3, 4, 5)
PRESENT = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], dtype=torch.bool)


def vectors(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(4, dim, generator=generator) for dim in DIMS]


@pytest.mark.parametrize("norm", ["batch", "l2"])
@pytest.mark.parametrize("sizes", [(6,), (7, 6)])
def test_shapes_and_gradients(norm: str, sizes: tuple[int, ...]) -> None:
    module = Concat(DIMS, sizes, norm)
    inputs = [v.requires_grad_() for v in vectors()]
    fused, weights = module(inputs, PRESENT)
    assert fused.shape == (4, 6)
    assert weights is None
    fused.square().sum().backward()
    assert all(v.grad is not None and v.grad.isfinite().all() for v in (*inputs, *module.parameters()))


def test_layers_by_hand() -> None:
    module = Concat((2, 1), (2, 1), "l2").eval()
    first, relu, last = module.layers
    assert isinstance(first, nn.Linear)
    assert isinstance(relu, nn.ReLU)
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 1.0, 1.0], [-1.0, 0.0, 0.0]]))
        first.bias.copy_(torch.tensor([0.5, 0.0]))
        last.weight.copy_(torch.tensor([[-2.0, 5.0]]))
        last.bias.fill_(1.0)
    fused, _ = module([torch.tensor([[3.0, 4.0]]), torch.tensor([[-2.0]])], torch.ones(1, 2, dtype=torch.bool))
    # 0.6 + 0.8 - 1 + 0.5 = 0.9, and -0.6 that the ReLU cuts; the last layer has none.
    torch.testing.assert_close(fused, torch.tensor([[-0.8]]))


@pytest.mark.parametrize("norm", ["batch", "l2"])
@pytest.mark.parametrize("anything", [1e9, nan])
def test_a_missing_vector_has_no_influence(norm: str, anything: float) -> None:
    module = Concat(DIMS, (6,), norm)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    plain, _ = module(vectors(), PRESENT)
    module.load_state_dict(state)
    changed = [v.masked_fill(~PRESENT[:, m : m + 1], anything) for m, v in enumerate(vectors())]
    fused, _ = module(changed, PRESENT)
    torch.testing.assert_close(fused, plain)


def test_all_missing_leaves_the_bias() -> None:
    module = Concat(DIMS, (6,), "batch")
    fused, _ = module(vectors(), PRESENT)
    torch.testing.assert_close(fused[3], module.layers[0].bias)
