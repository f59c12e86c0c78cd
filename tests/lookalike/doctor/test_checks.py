"""How findings are written and read, and what one check cannot do to the others."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lookalike import checks
from lookalike.checks import Finding, Mark
from lookalike.cli import doctor
from lookalike.settings import Settings
from tests.lookalike.doctor.findings import Environment

pytestmark = pytest.mark.slow


def test_a_finding_survives_the_way() -> None:
    found = Finding("a check", Mark.WARNING, "Füß.", "Do it.")
    assert Finding.from_json(found.to_json()) == found


def test_a_clock_is_spoken_of_if_it_is_off() -> None:
    now = datetime.now(UTC)
    assert checks.clock_note(now) == ""
    assert checks.clock_note(now - timedelta(seconds=90)).endswith("its clock is 90 s off ours")


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"mark": "odd"}', '{"mark": "ok", "x": 1}'])
def test_what_is_no_finding_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"^This is no finding: "):
        Finding.from_json(line)


def test_a_check_that_breaks_or_hangs_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(_settings: Any) -> list[Finding]:
        raise RuntimeError("no luck")

    async def hanging(_settings: Any) -> list[Finding]:
        await asyncio.Event().wait()
        return []

    async def good(_settings: Any) -> list[Finding]:
        return [checks.ok("good", "It works.")]

    monkeypatch.setattr(checks, "_CHECK_SECONDS", 0.1)
    monkeypatch.setattr("sys.argv", ["x.doctor"])
    try:
        with pytest.raises(SystemExit) as ended:
            checks.run("x", Settings, {"broken": broken, "hanging": hanging, "good": good})
    finally:
        logging.disable(logging.NOTSET)  # the process of a doctor ends silent
    assert ended.value.code == 0
    said = {
        found.check: found for found in map(Finding.from_json, capsys.readouterr().out.splitlines())
    }
    assert said["good"].mark is Mark.OK
    assert "no luck" in said["broken"].summary
    assert "took more than" in said["hanging"].summary


def test_checks_that_cannot_start_are_a_failure(environment: Environment) -> None:
    (found,) = doctor.findings("sandbox", environment)  # it has none
    assert found.mark is Mark.FAILED
    assert "No module named sandbox.doctor" in found.summary
