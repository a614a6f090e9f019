"""Sum: the projections by hand, and no influence of who is missing."""

from math import nan

import pytest
import torch

from mmbio.fuse.sum import Sum

DIMS = (3, 4, 5)
PRESENT = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 0, 0]], dtype=torch.bool)


def vectors() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4, dim, generator=generator) for dim in DIMS]


@pytest.mark.parametrize("norm", ["batch", "l2"])
def test_shapes_and_gradients(norm: str) -> None:
    module = Sum(DIMS, (7, 6), norm)
    inputs = [v.requires_grad_() for v in vectors()]
    fused, weights = module(inputs, PRESENT)
    assert fused.shape == (4, 6)
    assert weights is None
    fused.square().sum().backward()
    assert all(v.grad is not None and v.grad.isfinite().all() for v in (*inputs, *module.parameters()))


@pytest.mark.parametrize(("present", "expected"), [((1, 1), 3.8), ((1, 0), 1.8), ((0, 1), 2.0), ((0, 0), 0.0)])
def test_by_hand(present: tuple[int, int], expected: float) -> None:
    module = Sum((2, 1), (1,), "l2")
    with torch.no_grad():
        module.projections.layers[0].weight.copy_(torch.tensor([[1.0, 1.0]]))  # type: ignore[operator]
        module.projections.layers[0].bias.fill_(0.4)  # type: ignore[operator]
        module.projections.layers[1].weight.fill_(-3.0)  # type: ignore[operator]
        module.projections.layers[1].bias.fill_(-1.0)  # type: ignore[operator]
    fused, _ = module([torch.tensor([[3.0, 4.0]]), torch.tensor([[-2.0]])], torch.tensor([present], dtype=torch.bool))
    torch.testing.assert_close(fused, torch.tensor([[expected]]))  # 0.6 + 0.8 + 0.4, and 3 - 1


@pytest.mark.parametrize("norm", ["batch", "l2"])
@pytest.mark.parametrize("anything", [1e9, nan])
def test_a_missing_vector_has_no_influence(norm: str, anything: float) -> None:
    module = Sum(DIMS, (6,), norm)
    state = {k: v.clone() for k, v in module.state_dict().items()}
    plain, _ = module(vectors(), PRESENT)
    module.load_state_dict(state)
    changed = [v.masked_fill(~PRESENT[:, m : m + 1], anything) for m, v in enumerate(vectors())]
    fused, _ = module(changed, PRESENT)
    torch.testing.assert_close(fused, plain)
    assert not fused[3].any()
