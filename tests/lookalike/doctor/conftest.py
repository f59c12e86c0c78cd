"""What the doctor's tests share."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests import azure
from tests.azure import AzureServer
from tests.lookalike.doctor.findings import Environment
from tests.stack import create_stack, fixed_ports


@pytest.fixture(scope="module")
def vision() -> Generator[AzureServer, None, None]:
    with azure.serve_in_thread() as server:
        yield server


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, vision: AzureServer) -> dict[str, str]:
    return {
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": vision.url,
        "AZURE_VISION_KEY": vision.key,
        "HF_HUB_CACHE": str(tmp_path_factory.mktemp("hub")),
    }


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Environment:
    """All that a service is told; none runs."""
    home = tmp_path_factory.mktemp("home")
    return create_stack(home, {**settings, **fixed_ports()}).environment


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a .env."""
    monkeypatch.chdir(tmp_path)
