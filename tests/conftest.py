"""For every test."""

import sys
from collections.abc import Generator
from typing import Any

import pytest

_running: list[pytest.Item] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Keeps the mark `slow` true; see https://docs.python.org/3/library/audit_events.html."""
    if event == "subprocess.Popen" and _running and not _running[0].get_closest_marker("slow"):
        raise RuntimeError(f"mark this test slow, since it starts a process: {arguments[1]}")


sys.addaudithook(_watch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Says which test runs, with the fixtures that it is the first to need."""
    _running[:] = [item]
    try:
        return (yield)
    finally:
        _running.clear()


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are read from `.env` in the working directory, and from no developer's.

    Nor is it `tmp_path`: processes import from where they start, and a home's folder `generator`
    would hide the package.
    """
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
