"""Packs weights once, when a model is loaded, as oneDNN wants to read them.

PyTorch's own layers have their weights rearranged at every call. The operators that take rearranged
weights are PyTorch's too, but made for its compiler and private. So they are tried on a sample
first, and where they do not work, the model stays as it is.
"""

import logging

import torch
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn import functional

from generator.engines import resnets, transformers, winograd
from generator.engines.layers import PackedConv2d, PackedLinear, PackedPointwise, pointwise
from generator.engines.resnets import PackedResnet
from generator.engines.transformers import Attend, PackedTransformer2d
from generator.engines.winograd import WinogradUpsample2d

_TOLERANCE = {torch.bfloat16: 2e-2, torch.float32: 1e-4}
"""Of what a packed layer gives, by the largest number in it: sums are made in another order."""

_log = logging.getLogger(__name__)


@torch.no_grad()
def pack(module: nn.Module, attend: Attend = functional.scaled_dot_product_attention) -> bool:
    """Replaces the layers inside a module by packed ones, in place.

    Args:
        module: on the CPU, in bfloat16 or float32.
        attend: what a UNet's attention is computed with.

    Returns:
        Whether it was done; if not, the module is untouched.
    """
    dtype = next(module.parameters()).dtype
    if not _works(dtype):
        return False
    _replace(module, attend, _of_few_cells(module))
    return True


def _of_few_cells(module: nn.Module) -> set[nn.Module]:
    """The layers in the innermost level of a UNet."""
    if not isinstance(module, UNet2DConditionModel):
        return set()
    blocks = (module.down_blocks[-1], module.mid_block, module.up_blocks[0])
    return {layer for block in blocks if block is not None for layer in block.modules()}


def _replace(module: nn.Module, attend: Attend, few: set[nn.Module]) -> None:
    for name, child in module.named_children():
        packed = _packed(child, attend, few=child in few)
        if packed is None:
            _replace(child, attend, few)
        else:
            setattr(module, name, packed)  # the plain layer's memory is free before the next


def _packed(layer: nn.Module, attend: Attend, *, few: bool = False) -> nn.Module | None:
    """A layer's packed twin; None: it is not of a kind that has one."""
    match layer:
        case Transformer2DModel() if transformers.serves(layer):
            return PackedTransformer2d(layer, attend)
        case ResnetBlock2D() if resnets.serves(layer):
            return PackedResnet(layer, few=few)
        case Upsample2D() if winograd.doubles(layer):
            return WinogradUpsample2d(layer)
        case nn.Conv2d(padding_mode="zeros") if not isinstance(layer.padding, str):
            return PackedPointwise(layer) if pointwise(layer) else PackedConv2d(layer)
        case nn.Linear():
            return PackedLinear(layer.weight, layer.bias)
    return None


@torch.no_grad()
def _works(dtype: torch.dtype) -> bool:
    """Whether packed layers give what plain ones do."""
    if dtype not in _TOLERANCE:
        return False
    try:
        for layer, given in _samples(dtype):
            wanted = _called(layer, given)
            packed = _packed(layer, functional.scaled_dot_product_attention)
            atol = _TOLERANCE[dtype] * float(wanted.abs().max())
            if packed is None or not torch.allclose(
                _called(packed, given), wanted, rtol=0, atol=atol
            ):
                _log.info("Packed weights give other results than plain ones, which are used.")
                return False
    except (AttributeError, RuntimeError, TypeError) as error:  # another PyTorch, another processor
        _log.info("Weights are not packed: %s", str(error).partition("\n")[0])
        return False
    return True


def _samples(dtype: torch.dtype) -> list[tuple[nn.Module, list[Tensor]]]:
    """A layer of each kind, and what to give it."""
    channels, features = 320, 32  # as many channels as Winograd's algorithm takes
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = torch.randn(2, channels, 6, 4).to(memory_format=torch.channels_last)
        time, text = torch.randn(2, features), torch.randn(2, 15, features)
        resnet = ResnetBlock2D(in_channels=channels, temb_channels=features)
        narrower = ResnetBlock2D(in_channels=channels, out_channels=64, temb_channels=features)
        transformer = Transformer2DModel(8, 40, channels, cross_attention_dim=features)
        samples: list[tuple[nn.Module, list[Tensor]]] = [
            (resnet, [images, time]),
            (narrower, [images, time]),
            (transformer, [images, text]),
            (Upsample2D(channels, use_conv=True), [images]),
            (nn.Conv2d(channels, 64, 3, stride=2, padding=1), [images]),
            (nn.Linear(features, 48, bias=False), [text]),
        ]
    return [
        (layer.type(dtype).eval(), [tensor.to(dtype) for tensor in given])
        for layer, given in samples
    ]


def _called(layer: nn.Module, given: list[Tensor]) -> Tensor:
    if isinstance(layer, Transformer2DModel | PackedTransformer2d):
        return torch.as_tensor(layer(*given, return_dict=False)[0])
    return torch.as_tensor(layer(*given))
