"""What the machine gives at most: matrix products and memory, as PyTorch reaches them."""

import time
from collections.abc import Callable

import torch

_SIDE = 2048
_FLOP = 2 * _SIDE**3
_ROUNDS = 9
_COPIED = 2**29
"""Bytes; more than any cache holds."""


def measure() -> dict[str, list[float]]:
    """Measures all peaks in turns.

    Returns:
        What each round gave, by what it is.
    """
    copied = torch.zeros(_COPIED, dtype=torch.uint8)
    target = torch.empty_like(copied)
    probes: dict[str, tuple[float, Callable[[], object]]] = {
        "bf16 matrix product, TFLOP/s": (_FLOP / 1e12, _product(torch.bfloat16)),
        "fp32 matrix product, TFLOP/s": (_FLOP / 1e12, _product(torch.float32)),
        "copying in memory, GB/s read and written": (
            2 * _COPIED / 1e9,
            lambda: target.copy_(copied),
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in probes}
    for turn in range(_ROUNDS + 1):
        for name, (work, call) in probes.items():
            began = time.perf_counter()
            call()
            if turn:  # the first one is slower
                found[name].append(work / (time.perf_counter() - began))
    return found


def _product(dtype: torch.dtype) -> Callable[[], object]:
    left, right = torch.rand(2, _SIDE, _SIDE).to(dtype)
    return lambda: left @ right
