"""The options of a pipeline, kept free of PyTorch for whoever only passes them on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Previews = Literal["0", "1", "always"]
"""`GENERATOR_PREVIEWS`."""


@dataclass(frozen=True)
class Options:
    """What a pipeline is told besides its model.

    Attributes:
        device: `GENERATOR_DEVICE`: `auto`, `cpu`, `cuda` or `mps`.
        lcm_lora: the weights that the preset `fast` needs; None: there are none.
        previews: whether it draws any.
    """

    device: str = "auto"
    lcm_lora: Path | None = None
    previews: Previews = "1"
