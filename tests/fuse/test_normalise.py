"""Normalisation: masked batch norm by hand and against torch's own; a missing modality moves nothing."""

from math import inf, nan

import pytest
import torch
from torch import Tensor

from mmbio.fuse.normalise import MaskedBatchNorm, MaskedL2, normalisation

EPS = 1e-5
HERE = torch.tensor([True, True, False, True])


def data(rows: int = 6, dim: int = 5) -> Tensor:
    return torch.randn(rows, dim, generator=torch.Generator().manual_seed(0)) * 3 + 1


def test_batch_by_hand() -> None:
    norm = MaskedBatchNorm(1)
    out = norm(torch.tensor([[1.0], [3.0], [1000.0], [5.0]]), HERE)
    # Of 1, 3 and 5: the mean is 3, the variance 8/3, the unbiased variance 4.
    expected = torch.tensor([[-2.0], [0.0], [0.0], [2.0]]) / (8 / 3 + EPS) ** 0.5
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(norm.mean, torch.tensor([0.1 * 3]))
    torch.testing.assert_close(norm.var, torch.tensor([0.9 + 0.1 * 4]))


def test_scale_and_shift_do_not_reach_the_missing() -> None:
    norm = MaskedBatchNorm(1).eval()
    with torch.no_grad():
        norm.weight.fill_(2.0)
        norm.bias.fill_(7.0)
    out = norm(torch.tensor([[1.0], [-1.0]]), torch.tensor([True, False]))
    torch.testing.assert_close(out, torch.tensor([[2.0 / (1 + EPS) ** 0.5 + 7.0], [0.0]]))


@pytest.mark.parametrize("anything", [0.0, 1e30, -5.0, inf, nan])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["batch", "l2"])
def test_a_missing_vector_changes_nothing(kind: str, training: bool, anything: float) -> None:
    norm, alone = normalisation(kind, 5).train(training), normalisation(kind, 5).train(training)
    present = torch.tensor([True, False, True, True, False, True])
    x = data()
    x[~present] = anything
    x.requires_grad_()
    out = norm(x, present)
    torch.testing.assert_close(out[present], alone(x.detach()[present], torch.ones(4, dtype=torch.bool)))
    assert not out[~present].any()
    for mine, theirs in zip(norm.buffers(), alone.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)
    (out * data()).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert not x.grad[~present].any()


def test_equals_torch_when_everybody_is_there() -> None:
    ours, torchs = MaskedBatchNorm(5), torch.nn.BatchNorm1d(5)
    with torch.no_grad():
        for norm in (ours, torchs):
            norm.weight.copy_(torch.arange(1.0, 6.0))
            norm.bias.copy_(torch.arange(5.0))
    everybody = torch.ones(6, dtype=torch.bool)
    for step in range(3):
        torch.testing.assert_close(ours(data() + step, everybody), torchs(data() + step))
    assert torchs.running_mean is not None
    assert torchs.running_var is not None
    torch.testing.assert_close(ours.mean, torchs.running_mean)
    torch.testing.assert_close(ours.var, torchs.running_var)
    torch.testing.assert_close(ours.eval()(data(), everybody), torchs.eval()(data()))


def test_gradients_equal_torchs() -> None:
    ours, torchs = MaskedBatchNorm(5), torch.nn.BatchNorm1d(5)
    a, b = data().requires_grad_(), data().requires_grad_()
    (ours(a, torch.ones(6, dtype=torch.bool)) * data().square()).sum().backward()
    (torchs(b) * data().square()).sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize("n_present", [0, 1])
def test_too_few_for_statistics(n_present: int) -> None:
    norm = MaskedBatchNorm(5)
    present = torch.arange(6) < n_present
    out = norm(data(), present)
    assert not norm.mean.any()
    assert (norm.var == 1).all()
    torch.testing.assert_close(out[present], data()[present] / (1 + EPS) ** 0.5)
    assert not out[~present].any()


def test_evaluation_moves_no_statistic() -> None:
    norm = MaskedBatchNorm(5).eval()
    norm(data(), torch.ones(6, dtype=torch.bool))
    assert not norm.mean.any()
    assert (norm.var == 1).all()


def test_l2_by_hand() -> None:
    out = MaskedL2()(torch.tensor([[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]), torch.tensor([True, True, False]))
    torch.testing.assert_close(out, torch.tensor([[0.6, 0.8], [0.0, 0.0], [0.0, 0.0]]))
