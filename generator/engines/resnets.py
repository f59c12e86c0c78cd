"""Residual blocks with packed weights, as UNets and autoencoders have them."""

import torch
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional

from generator.engines import winograd
from generator.engines.layers import PackedConv2d, PackedLinear, PackedPointwise, once
from generator.engines.winograd import WinogradConv2d

_TIMELESS = "group"
"""What diffusers calls the blocks of decoders, which know of no time."""


def serves(layer: nn.Module) -> bool:
    """Whether something is a residual block as Stable Diffusion's are."""
    return (
        isinstance(layer, ResnetBlock2D)
        and layer.time_embedding_norm in ("default", _TIMELESS)
        and not layer.skip_time_act
        and not layer.up
        and not layer.down
        and layer.output_scale_factor == 1
        and isinstance(layer.nonlinearity, nn.SiLU)
    )


class PackedResnet(nn.Module):
    """Two convolutions, and what they were given added.

    Args:
        layer: a plain one that `serves`, in bfloat16 or float32.
        few: it computes few cells, so that most of its time goes into reading its weights.
    """

    def __init__(self, layer: ResnetBlock2D, *, few: bool) -> None:
        super().__init__()
        self._first, self._second = (
            nn.Sequential(
                norm,
                nn.SiLU(inplace=True),
                PackedConv2d(plain) if few or not winograd.pays(plain) else WinogradConv2d(plain),
            )
            for norm, plain in ((layer.norm1, layer.conv1), (layer.norm2, layer.conv2))
        )
        time = None if layer.time_embedding_norm == _TIMELESS else layer.time_emb_proj
        self._time = None if time is None else PackedLinear(time.weight, time.bias)
        shortcut = layer.conv_shortcut
        self._shortcut = None if shortcut is None else PackedPointwise(shortcut)

    def forward(self, images: Tensor, temb: Tensor | None = None) -> Tensor:
        """As diffusers calls it.

        Args:
            images: batch x channels x height x width.
            temb: what says where in time a UNet is, the same for all images.
        """

        def block(images: Tensor) -> Tensor:
            found = self._first(images)
            if self._time is not None and temb is not None:
                found += self._time(functional.silu(temb[: len(images)]))[:, :, None, None]
            found = self._second(found)
            if self._shortcut is None:
                return torch.as_tensor(found.add_(images))
            return self._shortcut.plus(images, found)

        return once(block, images)
