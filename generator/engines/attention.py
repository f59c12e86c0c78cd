"""Attention over many cells, for processors that multiply bfloat16 with AVX-512.

PyTorch's own multiplies float32 there, and spends a third of a step on it. Here the products are
oneDNN's, in bfloat16, and the exponential function is computed while a product is at hand: oneDNN
offers none there, but the logistic function, 1 / (1 + exp(-x)), is exp(x) to 8 bits below x = -6.
So from a row of logits a bound of them is taken, and 6 more, which a softmax does not see. The
rows' sums come out of the second product, as one more column of ones.
"""

import logging
import math

import torch
from torch import Tensor
from torch.nn import functional

_log = logging.getLogger(__name__)

_FEWEST = 2**18
"""Logits of a head from which on it is faster than PyTorch's."""

_LOGITS = 2**21
"""So many at a time stay in the cache."""

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
        found = _attend(query, key, value)
    except (AttributeError, RuntimeError, TypeError) as error:
        _log.info("Attention is PyTorch's: %s", str(error).partition("\n")[0])
        return False
    wanted = functional.scaled_dot_product_attention(query, key, value)
    if not torch.allclose(found, wanted, rtol=0, atol=_TOLERANCE):
        _log.info("Attention is PyTorch's, for ours does not give what it does.")
        return False
    return True


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Scaled dot-product attention: softmax(query key^T / sqrt(features)) value.

    Args:
        query: batch x heads x tokens x features, bfloat16.
        key: likewise.
        value: likewise.

    Returns:
        As `query`.
    """
    # For few, preparing takes what computing saves.
    if query.shape[-2] * key.shape[-2] < _FEWEST:
        return functional.scaled_dot_product_attention(query, key, value)
    return _attend(query, key, value)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    batch, heads, tokens, features = query.shape
    # Each with one more column, and zeros up to a width that products take fast.
    rows, columns, values = (
        query.new_zeros(batch, heads, given.shape[-2], features + 1 + -(features + 1) % multiple)
        for given, multiple in ((query, 2), (key, 2), (value, 16))
    )
    own = (..., slice(features))
    torch.mul(query, features**-0.5, out=rows[own])
    # The same taken from all keys is the same taken from a row of logits, and the bound is closer.
    torch.sub(key, key.mean(-2, keepdim=True), out=columns[own])
    # No logit is above the product of the lengths (Cauchy and Schwarz); 2 % for rounding.
    bound = _length(rows[own]) * (1.02 * _length(columns[own]).amax(-1, keepdim=True))
    some = (..., slice(None, None, _EVERY), slice(None))
    gap = bound[some[:-1]] - (rows[some] @ columns.mT).amax(-1)
    if bool((gap > _WIDEST).any()):
        return functional.scaled_dot_product_attention(query, key, value)
    rows[..., features] = -_BELOW - bound
    values[own] = value
    columns[..., features] = values[..., features] = 1
    found = query.new_empty(batch, heads, tokens, values.shape[-1])
    step = max(1, _LOGITS // key.shape[-2])
    for head in range(batch * heads):
        row, column, one, out = (
            each.flatten(0, 1)[head] for each in (rows, columns, values, found)
        )
        for start in range(0, tokens, step):
            part = slice(start, start + step)
            weights = torch.ops.mkldnn._linear_pointwise(  # noqa: SLF001, tried by `_works`
                row[part], column, None, "sigmoid", [], ""
            )
            torch.mm(weights, one, out=out[part])
    sums = found[..., features, None]
    if not bool((sums > math.exp(-_BELOW - _WIDEST)).all()):  # a row in between is wider
        return functional.scaled_dot_product_attention(query, key, value)
    # In the order that heads are put side by side in.
    result = query.new_empty(batch, tokens, heads, features).transpose(1, 2)
    return torch.div(found[own], sums, out=result)


def _length(rows: Tensor) -> Tensor:
    return torch.as_tensor(torch.linalg.vector_norm(rows, dim=-1))
