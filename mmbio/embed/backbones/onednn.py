"""onednn: a ResNet-50 whose convolutions keep weights in oneDNN's layout and do ReLU and residual sums themselves.

These are the operators that torch.compile puts in when it freezes a network; called one by one they need no compiler
and no time to compile. They are not part of torch's public interface, so `available` tries them out.
"""

import platform
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d
from torchvision.models.resnet import Bottleneck, ResNet


class Convolution:
    """A convolution with bias of inputs `shape` (B, C, H, W), channels last, in the dtype of `weight`."""

    def __init__(self, layer: nn.Conv2d, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        weight = layer.weight.detach().to(dtype, memory_format=torch.channels_last)
        self.bias = None if layer.bias is None else layer.bias.detach().to(dtype)
        self.geometry = (list(layer.padding), list(layer.stride), list(layer.dilation), layer.groups)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(weight, *self.geometry, shape)
        self.shape_out = (shape[0], layer.out_channels, *(-(-side // layer.stride[0]) for side in shape[2:]))

    def __call__(self, x: Tensor, then: str = "relu") -> Tensor:
        """The convolution, then `relu` or `none`."""
        out: Tensor = torch.ops.mkldnn._convolution_pointwise(x, self.weight, self.bias, *self.geometry, then, [], "")
        return out

    def onto(self, x: Tensor, residual: Tensor) -> Tensor:
        """relu(convolution + residual), written into `residual`."""
        out: Tensor = torch.ops.mkldnn._convolution_pointwise_.binary(
            residual, x, self.weight, self.bias, *self.geometry, "add", None, "relu", [], None
        )
        return out


class Block:
    """A bottleneck block, its batch norms folded into its convolutions."""

    def __init__(self, block: Bottleneck, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        self.first = Convolution(block.conv1, shape, dtype)
        self.second = Convolution(block.conv2, self.first.shape_out, dtype)
        self.third = Convolution(block.conv3, self.second.shape_out, dtype)
        self.shortcut = None if block.downsample is None else Convolution(block.downsample[0], shape, dtype)
        self.shape_out = self.third.shape_out

    def __call__(self, x: Tensor) -> Tensor:
        residual = x if self.shortcut is None else self.shortcut(x, "none")
        return self.third.onto(self.second(self.first(x)), residual)


def packed(network: ResNet, batch: int, size: int, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """The maps (B, 2048, S / 32, S / 32), channels last, of images (B, 3, S, S); batch norms are folded already."""
    stem = Convolution(network.conv1, (batch, 3, size, size), dtype)
    shape = (*stem.shape_out[:2], size // 4, size // 4)
    blocks = []
    for layer in (network.layer1, network.layer2, network.layer3, network.layer4):
        for block in layer:
            blocks.append(Block(block, shape, dtype))
            shape = blocks[-1].shape_out

    def maps(x: Tensor) -> Tensor:
        out = max_pool2d(stem(x), 3, 2, 1)
        for block in blocks:
            out = block(out)
        return out

    return maps


@cache
def available(dtype: torch.dtype) -> bool:
    """True where this processor and this torch have the operators and they compute what torch does."""
    if platform.machine().lower() not in ("x86_64", "amd64") or not torch._C._has_mkldnn:
        return False
    layer = nn.Conv2d(16, 16, 1)
    with torch.inference_mode():
        for parameter, value in zip(layer.parameters(), (1 / 16, -1.0), strict=True):
            parameter.fill_(value)
        x = torch.arange(-6.0, 10).view(1, 16, 1, 1).expand(2, 16, 4, 4)
        ours = x.to(dtype, memory_format=torch.channels_last)
        try:
            made = Convolution(layer, (2, 16, 4, 4), dtype)
            found = made.onto(made(ours), ours.clone())
        except (AttributeError, NotImplementedError, RuntimeError):  # not there, or not for this processor
            return False
        return torch.equal(found.float(), (layer(layer(x).relu()) + x).relu())
