"""What a run's figures come to, and the page that says it."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks import page
from benchmarks.results import Figures, Results
from benchmarks.rows import ROWS
from benchmarks.steps import Cost

pytestmark = pytest.mark.slow


_EACH = {"Dream": 1.0, "Twin": 0.96, "Dream, 3:4": 1.05}
"""Seconds a step."""


@pytest.fixture
def results() -> Results:
    """Every step takes 1 s, what comes before the first one too, and decoding 5 s."""
    rows = {}
    for row in ROWS:
        steps = row.short or row.preset.steps
        rows[row.key] = Figures(steps, 2.0, [[2.0, *[1.0] * (steps - 1), 5.0]])
    rows["fp32"].seconds = [[4.0, *[3.5] * 19, 5.0], [4.0, *[3.0] * 19, 6.0]]
    return Results(
        machine={"processor": "a fast one"},
        side=512,
        quick=False,
        date="2026-01-02 03:04 UTC",
        minutes=25.0,
        starts={"ours": [(5.0, 2.0), (6.0, 3.0)]},
        first={"ours": 1.5},
        rows=rows,
        batches={1: [1.0], 2: [1.9], 4: [2.0], 8: [2.0]},
        likeness=[(0.9999, 49.0), (0.9995, 45.0)],
        costs={name: [Cost(7, 7 * each, 0.1, 0.5, 5.0)] for name, each in _EACH.items()},
        speed_ups={"1:1": [3.0, 3.5, 4.0], "3:4": [3.25, 3.4, 3.5]},
        dial={"cat": [[4.0, 3.0, 2.0, 1.0], [4.0, 5.0, 2.0, 1.0]]},
        peaks=[{"products": [1.0, 2.0]}, {"products": [1.5]}],
        overhead=[20.0, 30.0, 40.0],
        services=[("bot: start", "0.5 s", "2 s")],
        history={
            10: {"GetStatus": 1.0, "CloseGeneration": 2.0},
            1000: {"GetStatus": 1.25, "CloseGeneration": 2.5},
        },
    )


def test_a_picture_is_its_parts_and_steps_that_were_not_drawn_last_as_long(
    results: Results,
) -> None:
    assert results.picture("balanced").median == 2 + 19 + 5
    assert results.picture("faithful").median == 2 + 49 + 5
    assert results.is_extrapolated("faithful")
    assert not results.is_extrapolated("balanced")
    step = results.step("fp32")
    assert (step.median, step.least, step.most) == (3.25, 3.0, 3.5)


def test_jobs_that_wait_are_cut_as_the_worker_cuts_them(results: Results) -> None:
    alone = 3600 / (21 + 5)
    assert results.hourly("openvino", 8) == pytest.approx(results.hourly("openvino", 1))
    assert results.hourly("balanced", 1) == pytest.approx(alone)
    assert results.hourly("balanced", 8) == pytest.approx(8 * 3600 / (2 * 21 + 8 * 5))


def test_figures_are_kept(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "build" / "figures.json")
    again = Results.load(tmp_path / "build" / "figures.json")
    assert page.text(again) == page.text(results)


def test_the_page_has_the_figures_between_its_marks_and_a_chart(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, chart = tmp_path / "page.md", tmp_path / "benchmarks.svg"
    written.write_text("Before\n<!-- figures -->\nold\n<!-- end of figures -->\nAfter\n")
    monkeypatch.setattr(page, "_PAGE", written)
    monkeypatch.setattr(page, "_CHART", chart)
    for _ in range(2):
        page.write(results)
    text = written.read_text()
    assert text.startswith("Before\n<!-- figures -->\n")
    assert text.endswith("<!-- end of figures -->\nAfter\n")
    assert "old" not in text
    assert text.count("| `balanced` |") == 1
    assert "| a step against full precision | 3.0 times as fast | 3.25 times |" in text
    assert "or of 3:4, the farthest off | 10 % | 5.0 % |" in text
    assert "| a step at 3:4 against full precision | 3.50 times, as at 1:1 | 3.40 times |" in text
    assert "| of 2 pictures of 1 photos, as near as the dial says | 90 % | 50 % |" in text
    assert "| Twin | 7 | 0.1 | 0.5 | 6.72 | 5 | 0.96 (0.96 to 0.96) |" in text
    assert re.search(r"\| Twin \| 0\.\d+ \| 1 \(1 to 1\) \|", text)
    assert "| dbservice, ms with closed generations | 10 | 1,000 | bar |" in text
    assert "| GetStatus | 1 | 1.25 | 3 ms |\n| CloseGeneration | 2 | 2.5 |  |" in text
    assert re.search(r"\| `faithful` \|.* 56 \(56 to 56\) \* \|", text)
    picture = ET.fromstring(chart.read_text())
    described = picture.find("{*}desc")
    assert described is not None
    assert "balanced 26 s" in (described.text or "")
    assert "prefers-color-scheme: dark" in chart.read_text()
    assert f"![{described.text}](images/benchmarks.svg)" in text
