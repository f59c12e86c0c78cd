"""What several of each do: how that is told, and a short run of the kills."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.scale import chart
from benchmarks.scale.rows import Row, processor, table
from tests.docs.documents import ROOT

_WAITS = [1.0] * 50 + [2.0] * 50

ROWS = [
    Row(1, 0.5, {"bot": 400.0, "dbservice": 100.4}, _WAITS, [10 * each for each in _WAITS]),
    Row(2, 0.9, {"bot": 410.0, "dbservice": 100.4}, _WAITS, [10 * each for each in _WAITS]),
]


def test_each_row_is_compared_with_that_of_one() -> None:
    told = table(("bots", "photos a second"), ROWS)
    assert "| 1 | 0.5 | 1.00 | 1.5 / 2.0 / 2.0 s | 15.0 / 20.0 / 20.0 s | bot 400 ms, db" in told
    assert "| 2 | 0.9 | 1.80 |" in told


def test_what_nobody_waits_for_has_no_such_columns() -> None:
    told = table(("dbservices", "lives a second"), [Row(1, 250.4, {"dbservice": 4.0})])
    assert told.splitlines() == [
        "| dbservices | lives a second | of that of one | processor for one |",
        "| --- | --- | --- | --- |",
        "| 1 | 250 | 1.00 | dbservice 4 ms |",
    ]


def test_processor_is_that_of_the_load_alone() -> None:
    assert processor({"bot": 3.0}, {"bot": 5.0}, 10) == {"bot": 200.0}


def test_the_chart_rises_with_the_rate_and_says_so_in_words() -> None:
    drawn = ET.fromstring(chart.draw({"photos": ROWS}))
    (line,) = [each for each in drawn.iter() if each.get("class") == "first"]
    points = [float(each) for each in re.split("[ ,]", line.get("points", ""))]
    (ideal,) = [each for each in drawn.iter() if each.get("class") == "ideal"]
    best = [float(each) for each in re.split("[ ,]", ideal.get("points", ""))]
    assert points[:2] == best[:2]
    assert points[2] == best[2]
    assert best[1] > points[3] > best[3]  # higher is less
    assert "2 do 1.8 times as much: photos" in chart.description({"photos": ROWS})


@pytest.mark.slow
@pytest.mark.scale
@pytest.mark.ray
@pytest.mark.timeout(900)
def test_a_few_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    kills = ["-m", "benchmarks.scale.kills", "--kills", "3", "--folder", str(tmp_path)]
    told = subprocess.run(
        [sys.executable, *kills], cwd=ROOT, capture_output=True, text=True, check=True, timeout=800
    ).stdout
    assert "0 lost, 0 doubled, 0 messages left over." in told
    assert told.endswith("All of it holds.\n")
