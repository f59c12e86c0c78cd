"""A UNet's transformers with packed weights; sums are made while their terms are at hand."""

from collections.abc import Callable

import torch
from diffusers.models.activations import GEGLU
from diffusers.models.attention import BasicTransformerBlock, FeedForward
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn

from generator.engines.layers import PackedLinear, once

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Of queries, keys and values, each batch x heads x tokens x features."""

_KeysAndValues = tuple[Tensor, Tensor]

_ROWS = 2048
"""What lies between the layers of so many stays in the cache."""


def serves(layer: nn.Module) -> bool:
    """Whether something is a transformer over cells as Stable Diffusion's are."""
    return (
        isinstance(layer, Transformer2DModel)
        and layer.is_input_continuous
        and all(_plain(block) for block in layer.transformer_blocks)
    )


def _plain(block: BasicTransformerBlock) -> bool:
    return (
        block.norm_type == "layer_norm"
        and block.pos_embed is None
        and not hasattr(block, "fuser")
        and not block.only_cross_attention
        and not block.double_self_attention
        and all(_plain_attention(layer) for layer in (block.attn1, block.attn2))
        and isinstance(block.ff.net[0], GEGLU)
        and block.ff.net[0].proj.bias is not None
        and len(block.ff.net) == 3  # noqa: PLR2004, GEGLU, dropout, linear layer
    )


def _plain_attention(layer: Attention | None) -> bool:
    return layer is not None and not any(
        (layer.group_norm, layer.spatial_norm, layer.norm_cross, layer.norm_q, layer.norm_k)
    )


class PackedTransformer2d(nn.Module):
    """A transformer over the cells of images, which reads prompts.

    Args:
        layer: a plain one that `serves`, in bfloat16 or float32.
        attend: attention.
    """

    def __init__(self, layer: Transformer2DModel, attend: Attend) -> None:
        super().__init__()
        self._norm = layer.norm
        # Convolutions of one cell in some models, linear layers in others: the same numbers.
        self._enter, self._leave = (
            PackedLinear(end.weight.flatten(1), end.bias) for end in (layer.proj_in, layer.proj_out)
        )
        self._blocks = nn.ModuleList(
            _PackedBlock(block, attend) for block in layer.transformer_blocks
        )

    def forward(
        self,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        *,
        return_dict: bool = False,
        **others: None,
    ) -> tuple[Tensor]:
        """As diffusers calls it, which passes nothing but None as masks here.

        Args:
            hidden_states: images, batch x channels x height x width.
            encoder_hidden_states: prompts, batch x tokens x features.
            return_dict: always false.
            others: masks and the like.
        """
        assert not return_dict  # noqa: S101
        assert not any(other is not None for other in others.values())  # noqa: S101
        cells = hidden_states.permute(0, 2, 3, 1)
        rows = self._enter(self._norm(hidden_states).permute(0, 2, 3, 1).flatten(1, 2))
        for block in self._blocks:
            rows = block(rows, encoder_hidden_states)
        found = self._leave.plus(rows.view(cells.shape), cells.contiguous())
        return (found.permute(0, 3, 1, 2),)


class _PackedBlock(nn.Module):
    def __init__(self, block: BasicTransformerBlock, attend: Attend) -> None:
        super().__init__()
        self._norms = nn.ModuleList([block.norm1, block.norm2, block.norm3])
        self._cells = _PackedAttention(block.attn1, attend)
        self._text = _PackedAttention(block.attn2, attend)
        self._read: tuple[Tensor, _KeysAndValues] | None = None
        self._feed_forward = _PackedFeedForward(block.ff)

    def forward(self, rows: Tensor, text: Tensor) -> Tensor:
        first, second, third = self._norms

        def among_cells(rows: Tensor) -> Tensor:
            normal = first(rows)
            return torch.as_tensor(self._cells(normal, self._cells.read(normal), rows))

        rows = once(among_cells, rows)
        rows = self._text(second(rows), self._keys_and_values(text), rows)
        return torch.as_tensor(self._feed_forward(third(rows), rows))

    def _keys_and_values(self, text: Tensor) -> _KeysAndValues:
        """Of prompts: the same ones at every step of a picture."""
        if self._read is None or not torch.equal(self._read[0], text):
            self._read = text, self._text.read(text)
        return self._read[1]


class _PackedAttention(nn.Module):
    def __init__(self, layer: Attention, attend: Attend) -> None:
        super().__init__()
        self._heads, self._attend = layer.heads, attend
        self._query, self._key, self._value, self._out = (
            PackedLinear(linear.weight, linear.bias)
            for linear in (layer.to_q, layer.to_k, layer.to_v, layer.to_out[0])
        )

    def read(self, others: Tensor) -> _KeysAndValues:
        """What rows may take, batch x heads x tokens x features."""
        return self._split(self._key(others)), self._split(self._value(others))

    def forward(self, rows: Tensor, others: _KeysAndValues, terms: Tensor) -> Tensor:
        """What rows take from others, and terms added."""
        found = self._attend(self._split(self._query(rows)), *others)
        return self._out.plus(found.transpose(1, 2).flatten(2), terms)

    def _split(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:-1], self._heads, -1).transpose(1, 2)


class _PackedFeedForward(nn.Module):
    def __init__(self, layer: FeedForward) -> None:
        super().__init__()
        geglu, _, out = layer.net
        # One half of a linear layer times the other half's GELU.
        weights, biases = geglu.proj.weight.chunk(2), geglu.proj.bias.chunk(2)
        self._values, self._gates = (
            PackedLinear(weight.contiguous(), bias.contiguous())
            for weight, bias in zip(weights, biases, strict=True)
        )
        self._out = PackedLinear(out.weight, out.bias)

    def forward(self, rows: Tensor, terms: Tensor) -> Tensor:
        """What follows from rows, and terms added."""
        parts = (torch.split(matrix.flatten(0, 1), _ROWS) for matrix in (rows, terms))
        found = [
            self._out.plus(self._values.times(part, self._gates.gelu(part)), rest)
            for part, rest in zip(*parts, strict=True)
        ]
        return (torch.cat(found) if len(found) > 1 else found[0]).view(rows.shape)
