"""Draws seconds a picture as bars, in SVG, for light and dark pages."""

from html import escape

from benchmarks.results import Results
from benchmarks.rows import BY_KEY, OURS

_WIDTH, _LABELS, _NUMBERS = 760, 320, 70
_BAR, _GAP, _TOP = 18, 10, 40

_SHAPE = f'height="{_BAR}" rx="2"'

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 15px; font-weight: 600 }
.bar { fill: #8c959f } .ours { fill: #0969da } .noise { stroke: #1f2328 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .bar { fill: #6e7681 } .ours { fill: #4493f8 } .noise { stroke: #e6edf3 }
}
"""


def description(results: Results) -> str:
    """What the chart shows, for those who do not see it."""
    pictures = (f"{label} {seconds:.0f} s" for label, seconds in _medians(results))
    return f"Seconds a picture takes: {', '.join(pictures)}"


def draw(results: Results) -> str:
    """The chart; a bar ends at the median, and the line on it goes from the least to the most."""
    keys = results.keys
    scale = (_WIDTH - _LABELS - _NUMBERS) / max(results.picture(key).most for key in keys)
    parts = []
    for number, key in enumerate(keys):
        row, picture = BY_KEY[key], results.picture(key)
        top = _TOP + number * (_BAR + _GAP)
        middle = top + _BAR / 2
        start, median, end = (
            _LABELS + scale * seconds for seconds in (picture.least, picture.median, picture.most)
        )
        kind = "bar ours" if row.system == OURS else "bar"
        length = median - _LABELS
        label = escape(_plain(row.label))
        parts += [
            f'<text x="{_LABELS - 8}" y="{middle + 4}" text-anchor="end">{label}</text>',
            f'<rect class="{kind}" x="{_LABELS}" y="{top}" width="{length:.1f}" {_SHAPE}/>',
            f'<line class="noise" x1="{start:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}"/>',
            f'<text x="{end + 6:.1f}" y="{middle + 4}">{picture.median:.3g} s</text>',
        ]
    height = _TOP + len(keys) * (_BAR + _GAP)
    title = f"Seconds a picture of {results.side} x {results.side} takes"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{title}</title>",
            f"<desc>{escape(description(results))}</desc>",
            f"<style>{_STYLE}</style>",
            f'<text class="title" x="8" y="22">{title}</text>',
            *parts,
            "</svg>\n",
        )
    )


def _medians(results: Results) -> list[tuple[str, float]]:
    return [(_plain(BY_KEY[key].label), results.picture(key).median) for key in results.keys]


def _plain(label: str) -> str:
    """A label without Markdown."""
    return label.replace("`", "")
