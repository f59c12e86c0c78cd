"""Convolutions with fewer products give what plain ones do."""

import pytest
import torch
from diffusers.models.upsampling import Upsample2D
from torch import nn

from generator.engines import winograd
from generator.engines.winograd import WinogradConv2d, WinogradUpsample2d

pytestmark = pytest.mark.slow

_DEVIATION = {torch.float32: 1e-5, torch.bfloat16: 0.01}
"""Of results, by their own size."""


def _images(channels: int, cells: tuple[int, int], dtype: torch.dtype) -> torch.Tensor:
    return torch.randn((3, channels, *cells), generator=torch.Generator().manual_seed(0)).to(dtype)


def _deviation(found: torch.Tensor, wanted: torch.Tensor) -> float:
    assert found.shape == wanted.shape
    return float((found.float() - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("dtype", _DEVIATION)
@pytest.mark.parametrize("cells", [(8, 8), (16, 6), (7, 5), (1, 1), (2, 3), (33, 12)])
@pytest.mark.parametrize("bias", [True, False])
@torch.no_grad()
def test_it_is_a_convolution(dtype: torch.dtype, cells: tuple[int, int], *, bias: bool) -> None:
    torch.manual_seed(1)
    plain = nn.Conv2d(24, 20, 3, padding=1, bias=bias).to(dtype)
    images = _images(24, cells, dtype)
    found = WinogradConv2d(plain)(images)
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert _deviation(found, plain.float()(images.float())) < _DEVIATION[dtype]


@pytest.mark.parametrize("dtype", _DEVIATION)
@pytest.mark.parametrize("cells", [(8, 8), (7, 5), (1, 1), (2, 3)])
@pytest.mark.parametrize("less", [None, (0, 0), (1, 0), (0, 1), (1, 1)])
@torch.no_grad()
def test_it_is_a_convolution_of_a_doubled_picture(
    dtype: torch.dtype, cells: tuple[int, int], less: tuple[int, int] | None
) -> None:
    torch.manual_seed(1)
    plain = Upsample2D(24, use_conv=True, out_channels=20).to(dtype)
    images = _images(24, cells, dtype)
    size = less and (2 * cells[0] - less[0], 2 * cells[1] - less[1])
    found = WinogradUpsample2d(plain)(images, size)
    # The only cell of the smallest is the sum of all nine products.
    assert _deviation(found, plain.float()(images.float(), size)) < 1.5 * _DEVIATION[dtype]


@torch.no_grad()
def test_images_in_any_order_give_the_same() -> None:
    torch.manual_seed(1)
    layer = WinogradConv2d(nn.Conv2d(16, 16, 3, padding=1))
    images = _images(16, (6, 9), torch.float32)
    assert torch.equal(layer(images), layer(images.to(memory_format=torch.channels_last)))


@pytest.mark.parametrize(
    ("plain", "pays"),
    [
        (nn.Conv2d(320, 320, 3, padding=1), True),
        (nn.Conv2d(320, 4, 3, padding=1), False),
        (nn.Conv2d(256, 256, 3, padding=1), False),
        (nn.Conv2d(320, 320, 1), False),
        (nn.Conv2d(320, 320, 3), False),
        (nn.Conv2d(320, 320, 3, padding=1, stride=2), False),
        (nn.Conv2d(320, 320, 3, padding=1, padding_mode="circular"), False),
        (nn.Conv2d(1280, 1280, 3, padding=1, groups=2), False),
    ],
)
def test_it_is_for_convolutions_that_it_serves_and_makes_faster(
    plain: nn.Conv2d, *, pays: bool
) -> None:
    assert winograd.pays(plain) is pays


@pytest.mark.parametrize(
    ("plain", "doubles"),
    [
        (Upsample2D(512, use_conv=True), True),
        (Upsample2D(128, use_conv=True), True),
        (Upsample2D(96, use_conv=True), False),
        (Upsample2D(512), False),
        (Upsample2D(512, use_conv_transpose=True), False),
        (Upsample2D(512, use_conv=True, interpolate=False), False),
        (Upsample2D(512, use_conv=True, norm_type="ln_norm"), False),
    ],
)
def test_it_is_for_upsampling_that_it_serves(plain: Upsample2D, *, doubles: bool) -> None:
    assert winograd.doubles(plain) is doubles
