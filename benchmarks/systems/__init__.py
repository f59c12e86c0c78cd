"""What is compared: modules with one function `load`, each run in a process of its own.

This file has what they and the process that asks them have in common; it costs nothing to import.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator.presets import Preset

PROMPT = "a cat lying on a sofa"


@dataclass(frozen=True)
class Setup:
    """What systems are loaded with.

    Attributes:
        model: a folder in diffusers layout.
        lora: weights like LCM-LoRA's that fit it.
        converted: the model for OpenVINO; it is read by OpenVINO alone.
        side: of pictures, in pixels.
    """

    model: Path
    lora: Path
    converted: Path
    side: int


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn.

    Attributes:
        preset: how.
        steps: instead of the preset's.
        seeds: one for each of the pictures that are computed together.
        decode: whether to go on from the latents to the pictures.
        size: width and height in pixels; None: a square of the setup's side.
        strength: of a picture that they start from; None: they start from noise.
    """

    preset: Preset
    steps: int
    seeds: tuple[int, ...]
    decode: bool = True
    size: tuple[int, int] | None = None
    strength: float | None = None


@dataclass(frozen=True)
class Drawn:
    """The first of the pictures.

    Attributes:
        latents: channels x height x width, as NumPy's; None: the system does not tell.
        pixels: height x width x 3, 0 to 1, as NumPy's; likewise, or it was not decoded.
        parts: seconds that were no steps, by the name of what they went into; likewise.
    """

    latents: Any = None
    pixels: Any = None
    parts: Mapping[str, float] = field(default_factory=dict)


Mark = Callable[[float | None], None]
"""To be called after each step, and after decoding, with the seconds since the last mark or None:
the clock says. It waits until it is this system's turn."""

Draw = Callable[[Drawing, Mark], Drawn]
"""Draws, and gives marks meanwhile."""
