"""One house for all end-to-end tests: processes are dear, users and chats are cheap."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests import azure
from tests.azure import AzureServer
from tests.end_to_end.house import House
from tests.sandbox.client import People

NOTICE = "Be kind: the model's conditions of use are these."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture(scope="session")
def vision() -> Generator[AzureServer, None, None]:
    """Azure AI Vision, as far as the wire shows."""
    with azure.serve_in_thread() as server:
        yield server


@pytest.fixture(scope="session")
def _house(
    tmp_path_factory: pytest.TempPathFactory, vision: AzureServer
) -> Generator[House, None, None]:
    house = House(
        tmp_path_factory.mktemp("house"),
        {
            "CAPTIONER": "azure",
            "AZURE_VISION_ENDPOINT": vision.url,
            "AZURE_VISION_KEY": vision.key,
            "BOT_NOTICE": NOTICE,
        },
    )
    house.start_all()
    try:
        yield house
    finally:
        house.stop_all()


@pytest.fixture
def house(_house: House, vision: AzureServer) -> Generator[House, None, None]:
    """The house with every service running; its logs are looked at afterwards."""
    _house.ensure_running()
    vision.script.clear()
    marks = _house.mark_logs()
    yield _house
    _house.check_logs(marks)
    assert vision.key not in _house.log("bot")


@pytest.fixture
async def people(house: House) -> AsyncGenerator[People, None]:
    """The people of the sandbox."""
    async with People(house.sandbox_url) as people:
        await people.clear_faults()
        yield people
        await people.clear_faults()
        assert (await people.bot())["unknown_methods"] == []
