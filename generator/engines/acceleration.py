"""Makes a part of a model fast on the engine that was chosen for it."""

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from generator.engines import attention, packing
from generator.engines.choice import Engine


def accelerate(part: Any, engine: Engine) -> None:
    """Makes a UNet or an autoencoder faster, in place; results differ by rounding alone.

    Args:
        part: a diffusers model on the engine's device, whose weights do not change any more.
        engine: what computes it.
    """
    if engine.small:
        return
    match engine.device:
        case "cpu":
            _on_cpu(part, engine)
        case "cuda":
            part.to(memory_format=torch.channels_last)
            part.fuse_qkv_projections()


def _on_cpu(part: Any, engine: Engine) -> None:
    half = engine.dtype == torch.bfloat16
    attend = attention.attend if half and attention.pays() else scaled_dot_product_attention
    if not packing.pack(part, attend) and half:
        part.to(memory_format=torch.channels_last)
