"""The documents as their readers see them: blocks, links, headings, words set as code."""

import re
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent

DOCUMENTS: Final = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]

_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^ {4,}\S.*\n?)+", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        document: where it stands, from the root.
        heading: the last one before it.
        language: what stands behind the fence.
        text: without the fences and their indent.
    """

    document: str
    heading: str
    language: str
    text: str

    @property
    def section(self) -> "Section":
        return self.document, self.heading


Section = tuple[str, str]
"""A document and a heading in it."""


@dataclass(frozen=True)
class Link:
    """A link, or a picture.

    Attributes:
        document: where it stands.
        is_image: whether it is a picture.
        words: what is shown, or the picture's alternative text.
        target: where it leads.
    """

    document: Path
    is_image: bool
    words: str
    target: str


def name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def blocks(language: str | None = None) -> list[Block]:
    """All fenced blocks, or those in a language."""
    return [
        Block(name(document), _heading_before(match), match[2], dedent(match[3]))
        for document in DOCUMENTS
        for match in _FENCED.finditer(document.read_text())
        if language in {None, match[2]}
    ]


def _heading_before(match: re.Match[str]) -> str:
    return str(_HEADING.findall(_FENCED.sub("", match.string[: match.start()]))[-1])


def typed(*sections: Section) -> list[str]:
    """What a reader types in these sections, one after the other, or in all; nothing twice.

    Commands come line by line, Python as a whole.
    """
    found: list[str] = []
    for section in sections or dict.fromkeys(block.section for block in blocks()):
        for block in blocks():
            if block.section == section and block.language == "sh":
                found += block.text.splitlines()
            if block.section == section and block.language == "python":
                found.append(block.text)
    return list(dict.fromkeys(found))


def prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return _FENCED.sub("", document.read_text())


def indented() -> list[tuple[str, str]]:
    """What stands in blocks that are indented, line by line, with the document's name."""
    return [
        (name(document), line.strip())
        for document in DOCUMENTS
        for match in _INDENTED.finditer(prose(document))
        for line in match[0].splitlines()
    ]


def code(document: Path) -> list[str]:
    """The words within lines that are set as code; a line break in them is a space."""
    return _CODE.findall(re.sub(r"(?<=\S)\n +(?=\S)|(?<=\S)\n(?=\S)", " ", prose(document)))


def headings(document: Path) -> list[str]:
    return _HEADING.findall(prose(document))


def anchors(document: Path) -> set[str]:
    """What links can lead to in a document, by GitHub's rule."""
    found: set[str] = set()
    for heading in headings(document):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        count = sum(
            re.fullmatch(rf"{re.escape(slug)}(-\d+)?", other) is not None for other in found
        )
        found.add(f"{slug}-{count}" if count else slug)
    return found


def links() -> list[Link]:
    return [
        Link(document, match[1] == "!", match[2], match[3])
        for document in DOCUMENTS
        for match in _LINK.finditer(re.sub(r"\n\s*", " ", prose(document)))
    ]


def rows(document: str) -> dict[str, list[str]]:
    """The tables' rows of a page in docs/, by what is set as code in the first column."""
    found = {}
    for line in (ROOT / "docs" / document).read_text().splitlines():
        match = re.match(r" *\| `([^`]+)` \|", line)
        if match:
            found[match.group(1)] = [cell.strip() for cell in line.strip(" |").split("|")]
    return found
