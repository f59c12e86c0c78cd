"""One stack for all end-to-end tests: processes are expensive, users and chats are cheap.

Another one is for those that are made in both ways, and with `--by-webhook` for all: its bot gets
its updates by a webhook.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest

from lookalike.processes.stack import Stack
from tests import azure
from tests.azure import AzureServer
from tests.sandbox.client import People
from tests.stack import checked_logs, read_log, running_stack
from tests.waiting import eventually

ADMIN = 4242
"""Who runs the bot, once they are a user."""

NOTICE = "Be kind: the model's conditions of use are these."


IN_BOTH_WAYS: Final = pytest.mark.parametrize(
    "stack", ["_stack", "_stack_by_webhook"], ids=["polling", "webhook"], indirect=True
)
"""For a test that uses the fixture `stack`, or one that does."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.end_to_end)
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def vision() -> Generator[AzureServer, None, None]:
    """Azure AI Vision, as far as the wire shows."""
    with azure.serve_in_thread() as server:
        yield server


def _running(
    factory: pytest.TempPathFactory, vision: AzureServer, **others: str
) -> AbstractContextManager[Stack]:
    settings = {
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": vision.url,
        "AZURE_VISION_KEY": vision.key,
        "BOT_NOTICE": NOTICE,
        "BOT_ADMINS": str(ADMIN),
    }
    return running_stack(factory.mktemp("home"), settings | others)


@pytest.fixture(scope="package")
def _stack(
    tmp_path_factory: pytest.TempPathFactory, vision: AzureServer
) -> Generator[Stack, None, None]:
    with _running(tmp_path_factory, vision) as stack:
        yield stack


@pytest.fixture(scope="package")
def _stack_by_webhook(
    tmp_path_factory: pytest.TempPathFactory, vision: AzureServer
) -> Generator[Stack, None, None]:
    with _running(tmp_path_factory, vision, BOT_PUBLIC_URL="http://127.0.0.1:0") as stack:
        yield stack


@pytest.fixture
def polls(request: pytest.FixtureRequest) -> None:
    """What the test is about is how the bot polls."""
    if request.config.getoption("by_webhook"):
        pytest.skip("by a webhook nobody polls")


@pytest.fixture
def stack(request: pytest.FixtureRequest, vision: AzureServer) -> Generator[Stack, None, None]:
    """All services, those brought back that a test has left dead; their logs are checked."""
    usual = "_stack_by_webhook" if request.config.getoption("by_webhook") else "_stack"
    stack: Stack = request.getfixturevalue(getattr(request, "param", usual))
    stack.start()
    vision.script.clear()
    with checked_logs(stack):
        yield stack
    assert vision.key not in read_log(stack, "bot")


@pytest.fixture
async def people(stack: Stack) -> AsyncGenerator[People, None]:
    """The people of the sandbox, once the bot is there for them."""
    async with People(stack.url("sandbox")) as people:
        await people.clear_faults()

        async def is_listening() -> bool | None:
            return bool((await people.bot())["listening"]) or None

        await eventually(is_listening)
        yield people
        await people.clear_faults()
        assert (await people.bot())["unknown_methods"] == []
