"""Figures as tables in Markdown, and where they stand in a page of the docs."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_BETWEEN = re.compile(r"(<!-- figures -->\n).*(<!-- end of figures -->\n)", re.DOTALL)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_figures(page: Path, figures: str) -> None:
    """Puts figures between the marks of a page, in place of those that are there."""
    text = page.read_text(encoding="utf-8")
    new = _BETWEEN.sub(lambda marks: f"{marks[1]}\n{figures}\n\n{marks[2]}", text)
    page.write_text(new, encoding="utf-8")
