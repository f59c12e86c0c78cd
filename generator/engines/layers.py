"""Convolutions and linear layers whose weights lie in memory as oneDNN wants to read them.

PyTorch's own layers have their weights rearranged at every call. The operators that take rearranged
weights are PyTorch's too, but made for its compiler and private, so `packing` tries them first.
None of these layers has a `weight`: weights must not change any more.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

_SAMPLE_SIDE = 64
_SAMPLE_ROWS = 2048
"""What a layer is packed for. Other sizes are as fast: oneDNN's order of weights does not depend on
them."""


class PackedConv2d(nn.Module):
    """A convolution.

    Args:
        layer: a plain one with zeros around its images, in bfloat16 or float32.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._bias = _constant(layer.bias)
        self._shape = [
            [int(side) for side in layer.padding],
            list(layer.stride),
            list(layer.dilation),
            layer.groups,
        ]
        sample = [2, layer.in_channels, _SAMPLE_SIDE, _SAMPLE_SIDE]
        self._weight = torch.ops.mkldnn._reorder_convolution_weight(  # noqa: SLF001, see the module
            layer.weight.detach(), *self._shape, sample
        )

    def forward(self, images: Tensor) -> Tensor:
        """Of images, batch x channels x height x width."""
        # Channels last is the order that its results have then, too, and all that follows.
        images = images.contiguous(memory_format=torch.channels_last)
        found = torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001, see the module
            images, self._weight, self._bias, *self._shape, "none", [], ""
        )
        return torch.as_tensor(found)


class PackedLinear(nn.Module):
    """A linear layer, and what can be done with its results while they are at hand.

    Args:
        weight: outputs x inputs, bfloat16 or float32.
        bias: outputs.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self._bias = _constant(bias)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(  # noqa: SLF001, see the module
            weight.detach(), _SAMPLE_ROWS
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Of rows, whatever x inputs."""
        return self._then(rows, "none")

    def gelu(self, rows: Tensor) -> Tensor:
        """The layer, and the exact GELU of its results."""
        return self._then(rows, "gelu")

    def times(self, rows: Tensor, factors: Tensor) -> Tensor:
        """The layer, its results multiplied one by one."""
        return self._with(rows, factors, "mul")

    def plus(self, rows: Tensor, terms: Tensor) -> Tensor:
        """The layer, something added to its results one by one."""
        return self._with(rows, terms, "add")

    def _then(self, rows: Tensor, activation: str) -> Tensor:
        found = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001, see the module
            rows, self._weight, self._bias, activation, [], "none" if activation == "gelu" else ""
        )
        return torch.as_tensor(found)

    def _with(self, rows: Tensor, others: Tensor, operation: str) -> Tensor:
        found = torch.ops.mkldnn._linear_pointwise.binary(  # noqa: SLF001, see the module
            rows, others, self._weight, self._bias, operation
        )
        return torch.as_tensor(found)


class PackedPointwise(nn.Module):
    """A convolution of one cell, which is a linear layer over channels.

    Args:
        layer: one that is `pointwise`. As a convolution of few cells it takes fifty times as long.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._linear = PackedLinear(layer.weight.flatten(1), layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Of images, batch x channels x height x width."""
        return torch.as_tensor(self._linear(_cells(images)).permute(0, 3, 1, 2))

    def plus(self, images: Tensor, terms: Tensor) -> Tensor:
        """The convolution, something added to its results one by one."""
        return self._linear.plus(_cells(images), _cells(terms)).permute(0, 3, 1, 2)


def pointwise(layer: nn.Conv2d) -> bool:
    """Whether a convolution is of one cell, so that it is a `PackedPointwise`."""
    one, none = (1, 1), (0, 0)
    return layer.kernel_size == layer.stride == one and layer.padding == none and layer.groups == 1


def once(layer: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
    """What a layer gives, computed once where both halves of a batch are the same.

    With guidance they are, until prompts come in.
    """
    half, odd = divmod(len(rows), 2)
    if odd or not torch.equal(rows[:half], rows[half:]):
        return layer(rows)
    found = layer(rows[:half])
    return torch.cat([found, found])


def _cells(images: Tensor) -> Tensor:
    """Images, their channels last."""
    return images.permute(0, 2, 3, 1).contiguous()


def _constant(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()
