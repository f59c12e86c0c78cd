"""What operations.md computes, from what the other pages have measured."""

import re

import pytest

from tests.docs.documents import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("preset", ["balanced", "quick", "fast"])
def test_pictures_an_hour_are_those_of_the_benchmarks(preset: str) -> None:
    row = re.search(rf"^\| `{preset}` \|.*\| ([\d.]+) / ", _text("benchmarks"), re.MULTILINE)
    said = re.search(rf"`{preset}`, (\d+) an hour", _text("operations"))
    assert row
    assert said
    assert float(said[1]) == pytest.approx(float(row[1]), rel=0.1)


def test_what_is_around_the_model_takes_what_was_measured() -> None:
    row = re.search(r"^\| 1 \| .*\| (dbservice .*bot .*) \|$", _text("scaling"), re.MULTILINE)
    assert row
    taken = {name: int(ms) for name, ms in re.findall(r"(\w+) (\d+) ms", row[1])}
    seconds = (sum(taken.values()) - taken["sandbox"]) / 1000
    said = re.search(r"takes ([\d.]+) s of a processor", _text("operations"))
    assert said
    assert float(said[1]) == pytest.approx(seconds, rel=0.1)


def _text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()
