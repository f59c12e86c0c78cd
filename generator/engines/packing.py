"""Packs weights once, when a model is loaded, as oneDNN wants to read them.

PyTorch's own layers have their weights rearranged at every call. The operators that take them
rearranged are PyTorch's own, too, made for its compiler, and private; so they are tried on a sample
first, and a model whose layers they do not serve stays as it is.
"""

import logging

import torch
from diffusers.models.activations import GEGLU
from torch import Tensor, nn

_SAMPLE_SIDE = 64
_SAMPLE_ROWS = 2048
"""What a layer is packed for. Others are served as fast: oneDNN's order of weights does not depend
on these, except for the smallest."""

_TOLERANCE = {torch.bfloat16: 2e-2, torch.float32: 1e-4}
"""Of what a packed layer gives, by the largest number in it: sums are made in another order."""

_log = logging.getLogger(__name__)


@torch.no_grad()
def pack(module: nn.Module) -> bool:
    """Replaces the convolutions and linear layers inside a module by packed ones, in place.

    A packed layer has no `weight`: whatever changes weights comes before.

    Args:
        module: on the CPU, in bfloat16 or float32.

    Returns:
        Whether it was done; if not, the module is untouched.
    """
    dtype = next(module.parameters()).dtype
    if not _works(dtype):
        return False
    _replace(module)
    return True


def _replace(module: nn.Module) -> None:
    for name, child in module.named_children():
        packed = _packed(child)
        if packed is None:
            _replace(child)
        else:
            setattr(module, name, packed)  # the plain layer's memory is free before the next


def _packed(layer: nn.Module) -> nn.Module | None:
    """A layer's packed twin; None: it is not of a kind that has one."""
    match layer:
        case GEGLU() if isinstance(layer.proj, nn.Linear) and layer.proj.bias is not None:
            return _PackedGeglu(layer.proj)
        case nn.Conv2d(padding_mode="zeros") if not isinstance(layer.padding, str):
            return _PackedConv2d(layer)
        case nn.Linear():
            return _PackedLinear(layer.weight, layer.bias)
    return None


class _PackedConv2d(nn.Module):
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
        # Channels last is the order that its results have then, too, and all that follows.
        images = images.contiguous(memory_format=torch.channels_last)
        found = torch.ops.mkldnn._convolution_pointwise(  # noqa: SLF001, see the module
            images, self._weight, self._bias, *self._shape, "none", [], ""
        )
        return torch.as_tensor(found)


class _PackedLinear(nn.Module):
    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self._bias = _constant(bias)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(  # noqa: SLF001, see the module
            weight.detach(), _SAMPLE_ROWS
        )

    def forward(self, rows: Tensor) -> Tensor:
        return self.then(rows, "none")

    def then(self, rows: Tensor, activation: str) -> Tensor:
        """The layer, and an activation while its results are at hand."""
        found = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001, see the module
            rows, self._weight, self._bias, activation, [], "none" if activation == "gelu" else ""
        )
        return torch.as_tensor(found)

    def times(self, rows: Tensor, factors: Tensor) -> Tensor:
        """The layer, its results multiplied one by one."""
        found = torch.ops.mkldnn._linear_pointwise.binary(  # noqa: SLF001, see the module
            rows, factors, self._weight, self._bias, "mul"
        )
        return torch.as_tensor(found)


class _PackedGeglu(nn.Module):
    """One half of a linear layer times the other half's GELU, without the doubled rows between."""

    def __init__(self, projection: nn.Linear) -> None:
        super().__init__()
        weights, biases = projection.weight.chunk(2), projection.bias.chunk(2)
        self._values, self._gates = (
            _PackedLinear(weight.contiguous(), bias.contiguous())
            for weight, bias in zip(weights, biases, strict=True)
        )

    def forward(self, rows: Tensor) -> Tensor:
        return self._values.times(rows, self._gates.then(rows, "gelu"))


def _constant(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.detach()


@torch.no_grad()
def _works(dtype: torch.dtype) -> bool:
    """Whether packed layers give what plain ones do."""
    if dtype not in _TOLERANCE:
        return False
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((2, 32, 12, 10), generator=generator).to(
        dtype, memory_format=torch.channels_last
    )
    rows = torch.randn((2, 15, 32), generator=generator).to(dtype)
    samples = (
        (nn.Conv2d(32, 48, 3, padding=1), images),
        (nn.Conv2d(32, 48, 1), images),
        (nn.Conv2d(32, 48, 3, stride=2, padding=1), images),
        (nn.Linear(32, 48, bias=False), rows),
        (GEGLU(32, 48), rows),
    )
    try:
        for layer, given in samples:
            plain = layer.to(dtype)
            packed = _packed(plain)
            wanted = plain(given)
            if packed is None or not torch.allclose(
                packed(given), wanted, rtol=0, atol=_TOLERANCE[dtype] * float(wanted.abs().max())
            ):
                _log.info("Packed weights do not give what plain ones do; plain ones are used.")
                return False
    except (AttributeError, RuntimeError, TypeError) as error:  # another PyTorch, another processor
        _log.info("Weights are not packed: %s", str(error).partition("\n")[0])
        return False
    return True
