"""Attention over many cells, for processors that multiply bfloat16 with AVX-512.

PyTorch's own multiplies float32 there, and spends a third of a step on it. Here the products are
oneDNN's, in bfloat16, and the exponential function is computed while a product is at hand: oneDNN
offers none there, but the logistic function, 1 / (1 + exp(-x)), is exp(x) to 8 bits below x = -6.
So from a row of logits a bound of them is taken, and 6 more, which a softmax does not see. The
rows' sums come out of the second product, as one more column of ones.
"""

import logging
import math
from typing import Any

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from torch import Tensor
from torch.nn import functional

_log = logging.getLogger(__name__)

_LONG = 2048
"""Tokens from which on it is faster than PyTorch's."""

_ROWS = 512
"""Logits of that many rows at a time stay in the cache."""

_EVERY = 64
"""A row in so many is looked at first, to tell whether the bound is close enough."""

_TOLERANCE = 0.02
"""Of a mean of some 64 numbers around 1."""

_BELOW = 6.0
_WIDEST = 58.0
"""Between a row's largest logit and its bound; e to the minus 64 leaves numbers of a ten-millionth
of that above the smallest that bfloat16 tells from 0."""


def pays() -> bool:
    """Whether this processor is of the kind for which it was measured to be faster, and serves."""
    capabilities = torch.cpu.get_capabilities()
    measured = bool(capabilities.get("avx512_bf16")) and not capabilities.get("amx_bf16")
    return measured and _works()


def _works() -> bool:
    """Whether it gives what PyTorch's does; the operator is private, as those of `packing`."""
    drawn = torch.randn((3, 1, 2, 64, 40), generator=torch.Generator().manual_seed(0)).bfloat16()
    query, key, value = drawn.unbind()
    try:
        found = attend(query, key, value)
    except (AttributeError, RuntimeError, TypeError) as error:
        _log.info("Attention is PyTorch's: %s", str(error).partition("\n")[0])
        return False
    wanted = functional.scaled_dot_product_attention(query, key, value)
    if not torch.allclose(found, wanted, rtol=0, atol=_TOLERANCE):
        _log.info("Attention is PyTorch's, for ours does not give what it does.")
        return False
    return True


def install(part: Any) -> None:
    """Has a UNet's self-attention layers use it.

    Args:
        part: a UNet in bfloat16 on the CPU; in an autoencoder there is nothing of the kind.
    """
    for name, layer in part.named_modules():
        if name.endswith("attn1") and isinstance(layer, Attention):
            layer.set_processor(_Processor())


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention: softmax(query key^T / sqrt(features)) value.

    Args:
        query: batch x heads x tokens x features, bfloat16.
        key: likewise.
        value: likewise.

    Returns:
        As `query`.
    """
    batch, heads, tokens, features = query.shape
    scaled = query * features**-0.5
    # The same taken from all keys is the same taken from a row of logits, and the bound is closer.
    centred = key - key.mean(-2, keepdim=True)
    # No logit is above the product of the lengths (Cauchy and Schwarz); 2 % for rounding.
    longest = 1.02 * _length(centred).amax(-2, keepdim=True)
    bound = _length(scaled) * longest
    some = slice(None, None, _EVERY)
    gap = bound[..., some, :] - (scaled[..., some, :] @ centred.mT).amax(-1, keepdim=True)
    if bool((gap > _WIDEST).any()):
        return functional.scaled_dot_product_attention(query, key, value)
    ones = torch.ones((), dtype=key.dtype).expand(*key.shape[:-1], 1)
    rows = _widened(scaled, -_BELOW - bound).flatten(0, 1)
    columns = _widened(centred, ones).flatten(0, 1)
    values = _widened(value, ones).flatten(0, 1)
    found = rows.new_empty((*rows.shape[:-1], values.shape[-1]))
    for head in range(batch * heads):
        for start in range(0, tokens, _ROWS):
            part = slice(start, start + _ROWS)
            weights = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001, tried by `_works`
                rows[head, part], columns[head], None, "sigmoid", [], ""
            )
            torch.mm(weights, values[head], out=found[head, part])
    sums = found[..., features, None]
    if not bool((sums > math.exp(-_BELOW - _WIDEST)).all()):  # a row in between is wider
        return functional.scaled_dot_product_attention(query, key, value)
    return (found[..., :features] / sums).view(query.shape)


def _length(rows: Tensor) -> Tensor:
    return torch.as_tensor(torch.linalg.vector_norm(rows, dim=-1, keepdim=True))


def _widened(rows: Tensor, column: Tensor) -> Tensor:
    """Rows with one more feature, and zeros up to a number of features that products take fast."""
    padding = -(rows.shape[-1] + 1) % 8
    zeros = torch.zeros((), dtype=rows.dtype).expand(*rows.shape[:-1], padding)
    return torch.cat([rows, column, zeros], dim=-1)


class _Processor:
    """A diffusers attention processor: few tokens, or what masks some, are left to PyTorch."""

    def __init__(self) -> None:
        self._plain = AttnProcessor2_0()

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **options: Any,
    ) -> Tensor:
        if (
            hidden_states.ndim != 3  # noqa: PLR2004, batch x tokens x features
            or hidden_states.shape[1] < _LONG
            or encoder_hidden_states is not None
            or attention_mask is not None
        ):
            plain = self._plain(
                attn, hidden_states, encoder_hidden_states, attention_mask, **options
            )
            return torch.as_tensor(plain)
        # With guidance, what comes before the first words is the same for both halves of a batch.
        half, odd = divmod(len(hidden_states), 2)
        twice = not odd and torch.equal(hidden_states[:half], hidden_states[half:])
        if twice:
            hidden_states = hidden_states[:half]
        query, key, value = (
            layer(hidden_states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        found = attn.to_out[0](attend(query, key, value).transpose(1, 2).flatten(2))
        return torch.cat([found, found]) if twice else torch.as_tensor(found)
