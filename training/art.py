"""The art as pictures: an emoji on a plain background, as training sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SIDE: Final = 64
"""Width and height in pixels of what the model draws."""

_MASTER: Final = 256

_LEAST: Final = 54
"""How small, in pixels, a view shows the art."""

LETTERED: Final = frozenset(
    {"stop sign", "pool 8 ball", "ATM sign", "ambulance", "police car", "keyboard", "taxi"}
)
"""Concepts that are never mirrored: they carry letters or figures."""

WHITE: Final = "white"

COLOURS: Final = {
    WHITE: (255, 255, 255),
    "black": (40, 40, 44),
    "grey": (160, 164, 168),
    "red": (226, 84, 84),
    "orange": (246, 160, 76),
    "yellow": (250, 218, 94),
    "green": (116, 190, 110),
    "blue": (104, 160, 228),
    "purple": (156, 120, 206),
    "pink": (246, 176, 202),
}
"""The backgrounds that have a word."""


@dataclass(frozen=True)
class View:
    """How one art is shown.

    Attributes:
        concept: its number.
        mirrored: left for right.
        side: width and height of the art in pixels, at most `SIDE`.
        left: pixels before the art.
        top: pixels above the art.
        colour: the background, one of `COLOURS`.
    """

    concept: int
    mirrored: bool
    side: int
    left: int
    top: int
    colour: str


def plain(concept: int) -> View:
    """The art as it is, on white."""
    return View(concept, mirrored=False, side=SIDE, left=0, top=0, colour=WHITE)


def random_view(
    concept: int, *, mirrors: bool, colours: Sequence[str], random: np.random.Generator
) -> View:
    """A view with a random place, size and background.

    Args:
        concept: its number.
        mirrors: whether it may be mirrored.
        colours: the backgrounds to choose from, each as likely as the others.
        random: where the numbers come from.
    """
    side = int(random.integers(_LEAST, SIDE + 1))
    return View(
        concept,
        mirrored=mirrors and bool(random.integers(2)),
        side=side,
        left=int(random.integers(SIDE - side + 1)),
        top=int(random.integers(SIDE - side + 1)),
        colour=colours[int(random.integers(len(colours)))],
    )


def random_colour(coloured: float, random: np.random.Generator) -> str:
    """White, or with that chance any other of `COLOURS`."""
    others = [colour for colour in COLOURS if colour != WHITE]
    return others[int(random.integers(len(others)))] if random.random() < coloured else WHITE


class Art:
    """The arts of all concepts in memory."""

    def __init__(self, files: Sequence[Path]) -> None:
        """Reads the files, one for each concept, in order."""
        self._masters = [_premultiplied(file) for file in files]
        self._scaled: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self._masters)

    def picture(self, view: View) -> np.ndarray:
        """The view as (SIDE, SIDE, 3) bytes."""
        colours, opacity = self._scale(view.concept, view.side)
        if view.mirrored:
            colours, opacity = colours[:, ::-1], opacity[:, ::-1]
        canvas = np.empty((SIDE, SIDE, 3), np.float32)
        canvas[:] = COLOURS[view.colour]
        place = canvas[view.top : view.top + view.side, view.left : view.left + view.side]
        place *= 1 - opacity
        place += colours
        return (canvas + 0.5).clip(0, 255).astype(np.uint8)

    def _scale(self, concept: int, side: int) -> tuple[np.ndarray, np.ndarray]:
        """The art at a size: premultiplied colours (0 to 255), opacity (0 to 1)."""
        key = (concept, side)
        if key not in self._scaled:
            small = self._masters[concept].resize((side, side), Image.Resampling.BOX)
            values = np.asarray(small, np.float32)
            self._scaled[key] = values[..., :3], values[..., 3:] / 255
        return self._scaled[key]


def tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """Pictures as a network takes them: (n, 3, SIDE, SIDE), -1 to 1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def pictures(values: Tensor) -> np.ndarray:
    """What a network gives, as (n, height, width, 3) bytes."""
    scaled = (values.float().clamp(-1, 1) + 1) * 127.5
    result: np.ndarray = scaled.round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return result


def sheet(rows: Sequence[Sequence[np.ndarray]]) -> Image.Image:
    """A contact sheet: pictures of one size, row by row."""
    return Image.fromarray(np.concatenate([np.concatenate(row, axis=1) for row in rows]))


def _premultiplied(file: Path) -> Image.Image:
    """An art of `_MASTER` pixels whose transparent pixels are black, so that scaling is right."""
    with Image.open(file) as image:
        scaled = image.convert("RGBA").resize((_MASTER, _MASTER), Image.Resampling.LANCZOS)
    values = np.asarray(scaled, np.uint16)
    colours = (values[..., :3] * values[..., 3:] + 127) // 255
    return Image.fromarray(np.concatenate([colours, values[..., 3:]], 2).astype(np.uint8), "RGBA")
