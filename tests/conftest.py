"""For every test."""

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are read from `.env` in the working directory, and from no developer's.

    Nor is it `tmp_path`: processes import from where they start, and a home's folder `generator`
    would hide the package.
    """
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
