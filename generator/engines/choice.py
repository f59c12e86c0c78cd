"""Chooses the device and the precision that a model is computed with."""

from dataclasses import dataclass

import torch

from lookalike.errors import StartError

_NATIVE_BFLOAT16 = ("amx_bf16", "avx512_bf16")
"""How x86 processors say that they multiply bfloat16; others would convert every number."""


@dataclass(frozen=True)
class Engine:
    """How a model is computed.

    Attributes:
        device: `cpu`, `cuda` or `mps`.
        dtype: of weights and of what layers pass on.
        small: the model is too small for this package to gain anything.
    """

    device: str
    dtype: torch.dtype
    small: bool


def choose(wanted: str, *, small: bool) -> Engine:
    """The fastest engine there is.

    Args:
        wanted: `GENERATOR_DEVICE`: `auto`, `cpu`, `cuda` or `mps`.
        small: whether the model is a small one.

    Raises:
        StartError: there is no such device.
    """
    device = _device(wanted)
    return Engine(device, _dtype(device, small=small), small)


def takes_half(wanted: str) -> bool:
    """Whether a model of full size is held in half precision on a `GENERATOR_DEVICE`.

    False where there is no such device: whoever starts the generator is told.
    """
    try:
        return choose(wanted, small=False).dtype.itemsize == 2  # noqa: PLR2004, bytes
    except StartError:
        return False


def multiplies_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 natively."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in _NATIVE_BFLOAT16)


def _dtype(device: str, *, small: bool) -> torch.dtype:
    if device == "cuda":
        return torch.float16
    # A small model spends its time on calls, and MPS is more reliable in full precision.
    if device == "cpu" and not small and multiplies_bfloat16():
        return torch.bfloat16
    return torch.float32


def _device(wanted: str) -> str:
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(name for name, there in available.items() if there)
    if wanted not in available:
        raise StartError(f"GENERATOR_DEVICE {wanted}: write auto, cpu, cuda or mps.")
    if not available[wanted]:
        raise StartError(
            f"GENERATOR_DEVICE {wanted}: PyTorch finds no such device on this machine; auto takes"
            " what there is."
        )
    return wanted
