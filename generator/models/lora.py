"""The weights of LCM-LoRA: finds them, checks that they fit, and puts them into a UNet.

A LoRA is a low-rank change of a layer's weights: up x down, times alpha over the rank (arXiv
2106.09685). In the published file each layer is named after its path in the UNet, with underscores.
Importing this costs nothing; libraries come along only with what needs them.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator import models
from lookalike.errors import StartError

FILE = "pytorch_lora_weights.safetensors"
"""What the published weights are called, in their folder or on the hub."""

_PREFIX = "lora_unet_"

_log = logging.getLogger(__name__)


def find(location: str) -> Path | None:
    """The file of weights that `GENERATOR_LCM_LORA` names; None: it is not on this machine.

    Args:
        location: a .safetensors file, a folder that holds the published one, or an id on the hub.

    Raises:
        StartError: it is none of these, or the folder lacks the file.
    """
    path = Path(location).expanduser()
    if path.is_dir():
        path /= FILE
    if path.is_file() and path.suffix == ".safetensors":
        return path
    if models.is_hub_id(location):
        from huggingface_hub import try_to_load_from_cache

        cached = try_to_load_from_cache(location, FILE)
        return Path(cached) if isinstance(cached, str) else None
    raise StartError(
        f"GENERATOR_LCM_LORA {location}: there is no such .safetensors file and no such folder with"
        f" {FILE}; name one of these, or an id on the Hugging Face hub."
    )


def fits(file: Path, unet: Any) -> bool:
    """Whether every layer in the file is in the UNet, in the same shape; reads headers only."""
    from safetensors import safe_open

    try:
        with safe_open(file, "pt") as weights:
            shapes = {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118, no mapping
    except Exception as error:  # noqa: BLE001, safetensors has its own type for a damaged file
        _log.warning("%s cannot be read: %s", file, error)
        return False
    layers = dict(_layers(unet))
    downs = [name for name in shapes if name.endswith(".lora_down.weight")]
    for name in downs:
        stem = name.removesuffix(".lora_down.weight")
        up = shapes.get(f"{stem}.lora_up.weight")
        layer = layers.get(stem)
        if layer is None or up is None:
            return False
        shape = [up[0], *shapes[name][1:]]
        if shape != list(layer.weight.shape) or up[1] != shapes[name][0]:
            return False
    return bool(downs)


def fuse(file: Path, unet: Any) -> None:
    """Adds the file's change to the UNet's weights, in place, for good.

    Args:
        file: that fits.
        unet: a `UNet2DConditionModel` whose layers are PyTorch's own.
    """
    from safetensors import safe_open

    layers = dict(_layers(unet))
    with safe_open(file, "pt") as weights:
        names = set(weights.keys())
        for name in sorted(name for name in names if name.endswith(".lora_down.weight")):
            stem = name.removesuffix(".lora_down.weight")
            down = weights.get_tensor(name).float()
            up = weights.get_tensor(f"{stem}.lora_up.weight").float()
            rank = down.shape[0]
            alpha = f"{stem}.alpha"
            scale = float(weights.get_tensor(alpha)) / rank if alpha in names else 1.0
            change = (up.flatten(1) @ down.flatten(1)).reshape(up.shape[0], *down.shape[1:])
            weight = layers[stem].weight.data
            # Summed in full precision, rounded once.
            weight.copy_(weight.float() + scale * change.to(weight.device))


def _layers(unet: Any) -> Iterator[tuple[str, Any]]:
    """Layers that have weights, by their names in the file."""
    for name, module in unet.named_modules():
        if getattr(module, "weight", None) is not None:
            yield _PREFIX + name.replace(".", "_"), module
