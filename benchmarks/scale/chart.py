"""Draws how much more several of each service do than one, in SVG, for light and dark pages."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from benchmarks.scale.rows import Row

_WIDTH, _HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 250, 50, 40

_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.axis { stroke: #d0d7de } .ideal { stroke: #8c959f; stroke-dasharray: 5 4 }
polyline { fill: none; stroke-width: 2 } .first { stroke: #0969da } .second { stroke: #9a6700 }
.third { stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .axis { stroke: #30363d } .ideal { stroke: #6e7681 }
  .first { stroke: #4493f8 } .second { stroke: #d29922 } .third { stroke: #3fb950 }
}
"""
_KINDS: Final = ("first", "second", "third")


def draw(loads: Mapping[str, Sequence[Row]]) -> str:
    """The chart.

    Args:
        loads: up to three, by what they are; each is a line, from its rate with one of each.
    """
    counts = [row.count for row in next(iter(loads.values()))]
    most = counts[-1]
    title = "Done in a second, as a multiple of what one of each does"
    parts = [
        f'<text class="title" x="8" y="22">{title}</text>',
        f'<polyline class="ideal" points="{_line([(each, each) for each in counts], most)}"/>',
        _label("twice as many, twice as much", _place(most, most, most)),
    ]
    for count in counts:
        x, y = _place(count, count, most)
        parts += [
            f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.0f}" y2="{y:.0f}"/>',
            f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{count} &#215;</text>',
            f'<text x="{x:.0f}" y="{_HEIGHT - 12}" text-anchor="middle">{count}</text>',
        ]
    for kind, (name, rows) in zip(_KINDS, loads.items(), strict=False):
        points = [(row.count, row.rate / rows[0].rate) for row in rows]
        parts += [
            f'<polyline class="{kind}" points="{_line(points, most)}"/>',
            _label(name, _place(*points[-1], most)),
        ]
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            f"<title>{title}</title>",
            f"<desc>{escape(description(loads))}</desc>",
            f"<style>{_STYLE}</style>",
            *parts,
            "</svg>\n",
        )
    )


def description(loads: Mapping[str, Sequence[Row]]) -> str:
    """What the chart shows, for those who do not see it."""
    last = {name: (rows[-1].count, rows[-1].rate / rows[0].rate) for name, rows in loads.items()}
    told = (
        f"{count} do {times:.1f} times as much: {name}" for name, (count, times) in last.items()
    )
    return f"Compared with one of each, {'; '.join(told)}"


def _place(count: float, times: float, most: int) -> tuple[float, float]:
    x = _LEFT + (_WIDTH - _LEFT - _RIGHT) * count / most
    y = _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * times / most
    return x, y


def _line(points: Sequence[tuple[float, float]], most: int) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in (_place(*each, most) for each in points))


def _label(name: str, place: tuple[float, float]) -> str:
    x, y = place
    return f'<text x="{x + 8:.0f}" y="{y + 4:.0f}">{escape(name)}</text>'
