"""Links between documents lead somewhere, pictures are there, and no page is out of reach."""

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.docs import documents
from tests.docs.documents import DOCUMENTS, ROOT, Link


def _local() -> list[Link]:
    return [link for link in documents.links() if "://" not in link.target]


def _path(link: Link) -> Path:
    path = link.target.partition("#")[0]
    return (link.document.parent / path).resolve() if path else link.document


def test_links_lead_somewhere() -> None:
    assert len(_local()) > 50
    for link in _local():
        assert _path(link).exists(), f"{link.document.name}: {link.target}"
        anchor = link.target.partition("#")[2]
        if anchor:
            assert anchor in documents.anchors(_path(link)), f"{link.document.name}: {link.target}"


def test_links_to_elsewhere_are_encrypted() -> None:
    for link in documents.links():
        assert not link.target.startswith("http:"), link.target


def test_pictures_say_what_they_show() -> None:
    pictures = [link for link in documents.links() if link.is_image]
    assert {_path(link).name for link in pictures} == {
        path.name for path in (ROOT / "docs" / "images").iterdir()
    }
    for link in pictures:
        assert len(link.words.split()) > 3, link.target


def test_the_architecture_picture_is_drawn_for_light_and_dark_and_says_what_it_shows() -> None:
    text = (ROOT / "docs" / "images" / "architecture.svg").read_text()
    picture = ET.fromstring(text)
    assert picture.find("{*}title") is not None
    assert picture.find("{*}desc") is not None
    assert "prefers-color-scheme: dark" in text


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        for link in _local():
            if link.document == document:
                path = _path(link)
                pages = [path, *(path.glob("*.md") if path.is_dir() else [])]
                waiting += [page for page in pages if page in DOCUMENTS and page not in reached]
    assert reached == set(DOCUMENTS)
