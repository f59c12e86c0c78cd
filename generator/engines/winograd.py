"""Convolutions of 3 x 3 cells with fewer products, by Winograd's minimal filtering.

Two results of a filter of three taps take six products; Winograd's algorithm finds them with four
(Lavin and Gray 2015, arXiv 1509.09308), and over rows and columns that is 16 in place of 36. Of a
picture whose cells were taken twice before, three do, and 9 in place of 36. What is multiplied are
sums of neighbouring cells and sums of a filter's taps. bfloat16 rounds those, too, which leaves
a result about three times as far from full precision as a plain convolution does.
"""

from collections.abc import Iterable

import torch
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn import functional

from generator.engines.layers import PackedConv2d, PackedLinear

_LEAST = 160
_LEAST_TWICE = 64
"""Of inputs x outputs / (inputs + outputs): with fewer, sums take the time that products save.
There are fewer sums where cells are taken twice."""

_Taps = tuple[tuple[float, ...], ...]

_CELLS: _Taps = ((1, 0, -1), (1, 1), (1, -1), (0, 1, 0, -1))
_FILTER: _Taps = ((1, 0, 0), (0.5, 0.5, 0.5), (-0.5, 0.5, -0.5), (0, 0, -1))
"""Which sums are multiplied, in a row or column, for two results: the first is all but the last
product; the second is the second less the third, and the last."""

_CELLS_TWICE: _Taps = ((1, -1, 0), (1,), (0, -1, 1))
_FILTER_TWICE: _Taps = ((1, 0, 0), (1, 1, 1), (0, 0, 1))
"""The same for the two results at a cell that is taken twice: each is the second product and one of
the others."""


def pays(layer: nn.Conv2d) -> bool:
    """Whether a convolution is faster so, and of its kind."""
    return _serves(layer, _LEAST)


def doubles(layer: Upsample2D) -> bool:
    """Whether something takes cells twice and convolves that, and both are faster so."""
    return (
        layer.norm is None
        and layer.interpolate
        and isinstance(layer.conv, nn.Conv2d)
        and _serves(layer.conv, _LEAST_TWICE)
    )


def _serves(layer: nn.Conv2d, least: int) -> bool:
    inputs, outputs = layer.in_channels, layer.out_channels
    return (
        inputs * outputs >= least * (inputs + outputs)
        and layer.kernel_size == (3, 3)
        and layer.stride == (1, 1)
        and layer.padding == (1, 1)
        and layer.dilation == (1, 1)
        and layer.groups == 1
        and layer.padding_mode == "zeros"
    )


class WinogradConv2d(nn.Module):
    """A convolution of 3 x 3 cells: F(2 x 2, 3 x 3).

    Args:
        layer: a plain one of which `pays` is true, in bfloat16 or float32.
    """

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self._products = _products(layer, _CELLS, _FILTER, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Of images, batch x channels x height x width."""
        height, width = images.shape[-2:]
        if height % 2 or width % 2:
            images = functional.pad(images, (0, width % 2, 0, height % 2))
        images = images.contiguous(memory_format=torch.channels_last)
        upper, lower = [], []
        for first, second, third, last in zip(*self._products, strict=True):
            less = third(images)
            both = second(images, less)
            upper.append(first(images, both))
            lower.append(last(images, torch.add(both, less, alpha=-2)))
        found = _woven(
            ((first, second + third), (last, second - third))
            for first, second, third, last in (upper, lower)
        )
        return found[..., :height, :width].contiguous(memory_format=torch.channels_last)


class WinogradUpsample2d(nn.Module):
    """Takes each cell of a picture twice, in rows and columns, and convolves that.

    Args:
        layer: diffusers' own, of which `doubles` is true.
    """

    def __init__(self, layer: Upsample2D) -> None:
        super().__init__()
        self._products = _products(layer.conv, _CELLS_TWICE, _FILTER_TWICE, stride=1)

    def forward(self, images: Tensor, output_size: tuple[int, int] | None = None) -> Tensor:
        """As diffusers calls it: `output_size` is twice as large, or a cell less, or None."""
        sides = [2 * side for side in images.shape[-2:]] if output_size is None else output_size
        height, width = sides
        images = images.contiguous(memory_format=torch.channels_last)
        upper, lower = [], []
        for before, cell, after in zip(*self._products, strict=True):
            shared = cell(images)
            upper.append(before(images, shared))
            lower.append(after(images, shared))
            if height % 2:
                # The last row is there once only: with zeros after it, that is all three products.
                upper[-1][:, -1] += lower[-1][:, -1] - shared[:, -1]
        if width % 2:
            for before, _, after in (upper, lower):
                before[:, :, -1] += after[:, :, -1]
        found = _woven(((before, cell), (after, cell)) for before, cell, after in (upper, lower))
        return found[..., :height, :width].contiguous(memory_format=torch.channels_last)


class _Product:
    """Sums of neighbouring cells of all channels, times sums of a filter's taps."""

    def __init__(self, taps: Tensor, stride: int, weight: Tensor, bias: Tensor | None) -> None:
        channels = weight.shape[1]
        rows, columns = taps.shape
        # Its plain layer draws no random numbers that it would not keep.
        layer = nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Conv2d,
            channels,
            channels,
            (rows, columns),
            stride=stride,
            padding=(int(rows > 2), int(columns > 2)),  # noqa: PLR2004, they begin a cell before
            groups=channels,
            bias=False,
            dtype=weight.dtype,
        )
        layer.weight.copy_(taps.expand_as(layer.weight))
        self._sums = PackedConv2d(layer) if taps.numel() > 1 else None
        self._linear = PackedLinear(weight, bias)

    def __call__(self, images: Tensor, terms: Tensor | None = None) -> Tensor:
        """Images x rows x columns x channels, and terms added to them."""
        cells = images if self._sums is None else self._sums(images)
        cells = cells.permute(0, 2, 3, 1)
        found = self._linear(cells) if terms is None else self._linear.plus(cells, terms)
        return torch.as_tensor(found)


def _products(
    layer: nn.Conv2d, cells: _Taps, filters: _Taps, *, stride: int
) -> list[list[_Product]]:
    """Of each sum over rows with each over columns."""
    weight = layer.weight.detach()
    over = torch.tensor(filters, dtype=torch.float32)
    # Sums of rows x columns of a filter x outputs x inputs. Those over columns are made one by one,
    # for all at once would be most of what loading takes.
    lines = torch.tensordot(over, weight.float().permute(2, 3, 0, 1).contiguous(), dims=1)

    def product(row: int, column: int) -> _Product:
        taps = torch.outer(torch.tensor(cells[row]), torch.tensor(cells[column]))
        summed = torch.tensordot(over[column], lines[row], dims=1).to(weight.dtype)
        # What all of four results have in common has the bias.
        return _Product(taps, stride, summed, layer.bias if row == column == 1 else None)

    count = range(len(cells))
    return [[product(row, column) for column in count] for row in count]


def _woven(results: Iterable[Iterable[tuple[Tensor, Tensor]]]) -> Tensor:
    """Images of which each 2 x 2 cells are what two terms give, by row and column."""
    rows = [list(row) for row in results]
    images, height, width, channels = rows[0][0][0].shape
    found = rows[0][0][0].new_empty(images, height, 2, width, 2, channels)
    for row, columns in enumerate(rows):
        for column, (one, other) in enumerate(columns):
            torch.add(one, other, out=found[:, :, row, :, column])
    return found.view(images, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)
