"""A chart of counts by day, as a picture."""

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from PIL import Image, ImageDraw, ImageFont

_WIDTH: Final = 960
_HEIGHT: Final = 480
_MARGIN: Final = 24
_RIGHT: Final = 48
_TOP: Final = 40
_BOTTOM: Final = 76
_GAP: Final = 6  # pixels between bars
_FONT: Final = 34
_LINES: Final = 4
_LABELS: Final = 7  # days from one label to the next

_BACKGROUND: Final = "#ffffff"
_GRID: Final = "#d8dde3"
_INK: Final = "#4a5560"
_BAR: Final = "#2f80c8"

_STEPS: Final = (1, 2, 5)


def draw(
    days: Sequence[tuple[date, int]],
    number: Callable[[int], str],
    day: Callable[[date], str],
) -> bytes:
    """A PNG with a bar for each day.

    Args:
        days: how many there were on each, in their order.
        number: how a number is written.
        day: how a day is.
    """
    image = Image.new("RGB", (_WIDTH, _HEIGHT), _BACKGROUND)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(_FONT)
    step = _step(max((count for _, count in days), default=0))
    base, height = _HEIGHT - _BOTTOM, _HEIGHT - _BOTTOM - _TOP
    # The font has no other space.
    numbers = [number(line * step).replace("\N{NO-BREAK SPACE}", " ") for line in range(_LINES + 1)]
    left = 2 * _MARGIN + max(pen.textlength(each, font) for each in numbers)
    for line, said in enumerate(numbers):
        y = base - height * line // _LINES
        pen.line((left, y, _WIDTH - _RIGHT, y), _GRID, 2)
        pen.text((left - _MARGIN / 2, y), said, _INK, font, "rm")
    width = (_WIDTH - left - _RIGHT) / max(1, len(days))
    for place, (at, count) in enumerate(days):
        x = left + place * width
        if count:
            top = base - max(2, height * count // (_LINES * step))
            pen.rectangle((x + _GAP / 2, top, x + width - _GAP / 2, base), _BAR)
        if (len(days) - 1 - place) % _LABELS == 0:  # today has one
            pen.text((x + width / 2, base + 14), day(at), _INK, font, "mt")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def _step(most: int) -> int:
    """From one line to the next: a round number by which the largest count fits."""
    scale = 1
    while True:
        for step in _STEPS:
            if step * scale * _LINES >= most:
                return step * scale
        scale *= 10
