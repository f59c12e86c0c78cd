"""For every test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read from `.env` in the working directory, and from no developer's."""
    monkeypatch.chdir(tmp_path)
