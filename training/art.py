"""The art as pictures: an emoji on a plain background, as training sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.concepts import Concept

_MASTER: Final = 256

_LEAST: Final = 27 / 32
"""How small a view may show the art, as a share of the picture's side."""

FLUENT: Final = "fluent"
NOTO: Final = "noto"
STYLES: Final = (FLUENT, NOTO)
"""Whose art: Fluent's is drawn unless the prompt asks for the other."""

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
"""The backgrounds that a caption can name."""


@dataclass(frozen=True)
class View:
    """How one art is shown.

    Attributes:
        concept: its number.
        style: whose art, one of `STYLES`.
        mirrored: whether left and right are swapped.
        side: width and height of the art in pixels, at most the picture's.
        left: pixels before the art.
        top: pixels above the art.
        colour: the background, one of `COLOURS`.
    """

    concept: int
    style: str
    mirrored: bool
    side: int
    left: int
    top: int
    colour: str


def random_style(noto: float, random: np.random.Generator) -> str:
    """Fluent's, or with that probability Noto's."""
    return NOTO if random.random() < noto else FLUENT


def random_colour(coloured: float, random: np.random.Generator) -> str:
    """White, or with that probability any other of `COLOURS`."""
    others = [colour for colour in COLOURS if colour != WHITE]
    return others[int(random.integers(len(others)))] if random.random() < coloured else WHITE


class Art:
    """The arts of all concepts in memory, and the views of them.

    Attributes:
        concepts: in the order of their numbers.
        side: width and height of a picture in pixels.
    """

    def __init__(
        self, files: Mapping[str, Sequence[Path]], concepts: Sequence[Concept], side: int
    ) -> None:
        """Reads the files of each style, one for each concept, in order."""
        self.concepts = concepts
        self.side = side
        self._masters = {
            style: [_premultiplied(file) for file in ordered] for style, ordered in files.items()
        }
        self._scaled: dict[tuple[str, int, int], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.concepts)

    def plain(self, concept: int, style: str = FLUENT) -> View:
        """The art as it is, on white."""
        return View(concept, style, mirrored=False, side=self.side, left=0, top=0, colour=WHITE)

    def mirrored(self, concept: int) -> View:
        """Fluent's art on white, mirrored if it may be."""
        return replace(self.plain(concept), mirrored=self.concepts[concept].mirrors)

    def random_view(
        self, concept: int, style: str, colours: Sequence[str], random: np.random.Generator
    ) -> View:
        """A view with random position, size and background.

        Args:
            concept: its number.
            style: whose art.
            colours: the backgrounds to choose from, each as likely as the others.
            random: the random numbers.
        """
        side = int(random.integers(int(_LEAST * self.side), self.side + 1))
        return View(
            concept,
            style,
            mirrored=self.concepts[concept].mirrors and bool(random.integers(2)),
            side=side,
            left=int(random.integers(self.side - side + 1)),
            top=int(random.integers(self.side - side + 1)),
            colour=colours[int(random.integers(len(colours)))],
        )

    def picture(self, view: View) -> np.ndarray:
        """The view as (side, side, 3) bytes."""
        scaled = self._scale(view).astype(np.float32)
        if view.mirrored:
            scaled = scaled[:, ::-1]
        colours, opacity = scaled[..., :3], scaled[..., 3:] / 255
        canvas = np.empty((self.side, self.side, 3), np.float32)
        canvas[:] = COLOURS[view.colour]
        place = canvas[view.top : view.top + view.side, view.left : view.left + view.side]
        place *= 1 - opacity
        place += colours
        return (canvas + 0.5).clip(0, 255).astype(np.uint8)

    def _scale(self, view: View) -> np.ndarray:
        """The art at a view's size: premultiplied colours and opacity as bytes."""
        key = (view.style, view.concept, view.side)
        if key not in self._scaled:
            master = self._masters[view.style][view.concept]
            small = master.resize((view.side, view.side), Image.Resampling.BOX)
            self._scaled[key] = np.asarray(small)
        return self._scaled[key]


def tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """Pictures as a network's input: (n, 3, side, side), -1 to 1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def pictures(values: Tensor) -> np.ndarray:
    """A network's output as (n, height, width, 3) bytes."""
    scaled = (values.float().clamp(-1, 1) + 1) * 127.5
    result: np.ndarray = scaled.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
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
