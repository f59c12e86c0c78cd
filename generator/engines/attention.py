"""Attention for processors that multiply bfloat16 with AVX-512.

PyTorch's own multiplies float32 there, and takes a third of a step.
"""

import logging

import torch
from torch import Tensor
from torch.nn import functional

from generator.engines.flash import MATRICES, PART, ROWS, Given, Space, kernel
from generator.engines.machine_code import VECTOR

_log = logging.getLogger(__name__)

_TOLERANCE = 0.02
"""Of a mean of some 64 numbers around 1."""


def pays() -> bool:
    """Whether it works here, on a kind of processor where it was measured to be faster."""
    capabilities = torch.cpu.get_capabilities()
    measured = bool(capabilities.get("avx512_bf16")) and not capabilities.get("amx_bf16")
    return measured and _works()


def _works() -> bool:
    """Whether it gives what PyTorch's does; LLVM, or PyTorch's threads, may not support it."""
    drawn = torch.randn((3, 1, 2, 64, 40), generator=torch.Generator().manual_seed(0)).bfloat16()
    query, key, value = drawn.unbind()
    try:
        found = _attend(query, key, value)
    except (AttributeError, OSError, RuntimeError) as error:
        _log.info("PyTorch's attention is used: %s", str(error).partition("\n")[0])
        return False
    wanted = functional.scaled_dot_product_attention(query, key, value)
    if not torch.allclose(found, wanted, rtol=0, atol=_TOLERANCE):
        _log.info("PyTorch's attention is used, as ours gives other results.")
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
    tokens, features = query.shape[-2:]
    side_by_side = all(matrix.stride(-1) == 1 for matrix in (query, key, value))
    if tokens < ROWS or features % 2 or not side_by_side:
        return functional.scaled_dot_product_attention(query, key, value)
    return _attend(query, key, value)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    batch, heads, tokens, features = query.shape
    others = key.shape[-2]
    # In the order that heads are put side by side in.
    found = query.new_empty(batch, tokens, heads, features).transpose(1, 2)
    space_bytes = Space(features).size(others)
    space = query.new_empty(torch.get_num_threads() * space_bytes + VECTOR, dtype=torch.uint8)
    parts = -(-tokens // PART)
    given = Given(
        heads=heads,
        tokens=tokens,
        others=others,
        parts=parts,
        pieces=batch * heads * parts,
        space=space.data_ptr() + -space.data_ptr() % VECTOR,
        space_bytes=space_bytes,
    )
    for name, matrix in zip(MATRICES, (query, key, value, found), strict=True):
        setattr(given, name, matrix.data_ptr())
        for axis, way in enumerate(("batch", "head", "row")):
            setattr(given, f"{name}_{way}", matrix.stride(axis) * matrix.element_size())
    kernel(features)(given)
    return found
