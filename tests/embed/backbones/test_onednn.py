"""onednn: the layers that torch computes, and a plain no where the operators are not to be had."""

import platform
from collections.abc import Iterator

import pytest
import torch
from torch import nn
from torch.nn.functional import relu
from torchvision.models.resnet import Bottleneck

from mmbio.embed.backbones.onednn import Block, Convolution, available

needs_packed = pytest.mark.skipif(not available(torch.float32), reason="not on this processor")


@pytest.fixture
def asked_anew() -> Iterator[None]:
    available.cache_clear()
    yield
    available.cache_clear()


def picture(channels: int, size: int) -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(2, channels, size, size).to(memory_format=torch.channels_last)


@needs_packed
@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (nn.Conv2d(3, 8, 7, 2, 3), 32),
        (nn.Conv2d(8, 8, 3, 1, 1), 9),
        (nn.Conv2d(8, 16, 3, 2, 1), 9),
        (nn.Conv2d(8, 16, 1, 2), 8),
        (nn.Conv2d(8, 16, 1, bias=False), 1),
    ],
)
@torch.inference_mode()
def test_a_convolution_is_torchs(layer: nn.Conv2d, size: int) -> None:
    x = picture(layer.in_channels, size)
    made, expected = Convolution(layer, tuple(x.shape), torch.float32), layer(x)
    assert made.shape_out == tuple(expected.shape)
    torch.testing.assert_close(made(x, "none"), expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(made(x), relu(expected), atol=1e-5, rtol=1e-5)
    residual = torch.randn_like(expected)
    total = relu(expected + residual)
    torch.testing.assert_close(made.onto(x, residual), total, atol=1e-5, rtol=1e-5)


@needs_packed
@pytest.mark.parametrize("stride", [1, 2])
@torch.inference_mode()
def test_a_block_is_torchvisions(stride: int) -> None:
    shortcut = nn.Sequential(nn.Conv2d(16, 32, 1, stride)) if stride == 2 else None
    block = Bottleneck(16 if shortcut else 32, 8, stride, shortcut, norm_layer=nn.Identity).eval()
    x = picture(block.conv1.in_channels, 8)
    expected = block(x)
    found = Block(block, tuple(x.shape), torch.float32)(x)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("asked_anew")
def test_another_processor_has_no_packed_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert not available(torch.float32)


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.parametrize("error", [AttributeError, NotImplementedError, RuntimeError])
def test_a_torch_without_the_operators(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def missing(*_: object) -> None:
        raise error("no such operator")

    monkeypatch.setattr(Convolution, "__init__", missing)
    assert not available(torch.float32)


@needs_packed
@pytest.mark.usefixtures("asked_anew")
def test_operators_that_compute_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Convolution, "__call__", lambda _, x: x)
    assert not available(torch.float32)
