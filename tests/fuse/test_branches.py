"""Branches: the ECG's convolution by hand, and how images are standardised."""

from collections.abc import Iterator

import pytest
import torch

from mmbio.fuse.branches import BeatsBranch, Branch, ImageBranch, branch


def through(module: Branch, raw: torch.Tensor) -> torch.Tensor:
    out: torch.Tensor = module(module.prepare(raw))
    return out


def test_beats_by_hand() -> None:
    module = BeatsBranch(2)
    with torch.no_grad():
        module.conv.weight.zero_()
        module.conv.weight[0, 7] = torch.tensor([1.0, 10.0, 100.0])  # the step before, the step, the step after
        module.conv.weight[1, 7, 1] = -1.0
        module.conv.bias.copy_(torch.tensor([0.5, 0.0]))  # type: ignore[union-attr]
    beats = torch.zeros(1, 3, 300)
    beats[0, :, 7] = torch.tensor([1.0, 2.0, 3.0])
    beats[0, :, 8] = 99.0
    # First map: 10 + 200, 1 + 20 + 300, 2 + 30; second: -1, -2, -3.
    torch.testing.assert_close(through(module, beats), torch.tensor([[321.5, -1.0]]))


@pytest.fixture
def exact() -> Iterator[None]:
    """Products in float32, whatever ran before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)


@pytest.mark.usefixtures("exact")
def test_the_product_of_matrices_is_the_convolution() -> None:
    module = BeatsBranch(300)
    beats = torch.rand(5, 3, 300, generator=torch.Generator().manual_seed(0))
    plain = module.conv(beats.transpose(1, 2)).amax(2)
    torch.testing.assert_close(through(module, beats), plain)


def test_three_equal_beats_give_the_middle_step() -> None:
    module = BeatsBranch(1)
    with torch.no_grad():
        module.conv.weight.fill_(1 / 900)
        module.conv.bias.zero_()  # type: ignore[union-attr]
    torch.testing.assert_close(through(module, torch.ones(2, 3, 300)), torch.ones(2, 1))


def test_images_are_standardised() -> None:
    module = ImageBranch(2, 2)
    with torch.no_grad():
        module.fc.weight.copy_(torch.eye(2))
        module.fc.bias.zero_()
    module.fit(torch.tensor([[1.0, 10.0], [2.0, 30.0], [3.0, 50.0]]))  # deviations 1 and 20
    out = through(module, torch.tensor([[2.0, 30.0], [4.0, 10.0]]))
    torch.testing.assert_close(out, torch.tensor([[0.0, 0.0], [2.0, -1.0]]))


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-20, 12345.678])
def test_a_number_that_never_varies_gives_0(value: float) -> None:
    module = ImageBranch(2, 2)
    with torch.no_grad():
        module.fc.weight.copy_(torch.eye(2))
        module.fc.bias.zero_()
    train = torch.rand(7, 2)
    train[:, 1] = value
    module.fit(train)
    out = through(module, torch.full((1, 2), 3.0))
    assert out[0, 0] != 0.0
    assert out[0, 1] == 0.0


def test_statistics_are_part_of_the_state_and_untrained_ones_change_nothing() -> None:
    module = ImageBranch(3, 2)
    assert {"centre", "spread"} <= set(module.state_dict())
    x = torch.rand(4, 3)
    torch.testing.assert_close(module(x), module.fc(x))


@pytest.mark.parametrize("shape", [(3, 300), (2048,), (128,)])
def test_every_modality_comes_to_the_same_size(shape: tuple[int, ...]) -> None:
    assert through(branch(shape, 300), torch.zeros(2, *shape)).shape == (2, 300)


def test_without_a_size_vectors_are_as_they_are() -> None:
    vectors = torch.rand(2, 512)
    module = branch((512,), None)
    assert through(module, vectors) is vectors
    assert not list(module.parameters())
