"""All services, and a Prometheus that watches them."""

import asyncio
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from functools import partial

import pytest

from lookalike.logs import lost_lines_file
from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from tests import azure
from tests.deploy.watching import Prometheus, watch
from tests.end_to_end.chats import EN, ask, cat, delivered, told
from tests.sandbox.client import People
from tests.stack import free_port, running_stack
from tests.waiting import wait_until


@dataclass(frozen=True)
class Watched:
    """What Prometheus watches.

    Attributes:
        stack: the services. Two photos have become pictures, and a file that is none was refused;
            Telegram has refused a call, and dbservice one of the bot's.
        prometheus: has seen all of that.
        addresses: where it scrapes, by the jobs of targets.yml.
    """

    stack: Stack
    prometheus: Prometheus
    addresses: Mapping[str, str]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack, None, None]:
    """All services; the bot has a webhook, so whoever scrapes it needs the token."""
    with azure.serve_in_thread() as vision:
        settings = {
            "CAPTIONER": "azure",
            "AZURE_VISION_ENDPOINT": vision.url,
            "AZURE_VISION_KEY": vision.key,
            "BOT_DAILY_CAPTIONS": "100",
            "BOT_PUBLIC_URL": "http://127.0.0.1:0",
            "DBSERVICE_METRICS_LISTEN": f"127.0.0.1:{free_port()}",
        }
        with running_stack(tmp_path_factory.mktemp("home"), settings) as stack:
            lost_lines_file(stack.home).write_text("0\n")  # as `lookalike up` does
            yield stack


@pytest.fixture(scope="package")
def watched(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Watched, None, None]:
    addresses = {
        "lookalike-bot": stack.address("bot"),
        "lookalike-dbservice": stack.environment["DBSERVICE_METRICS_LISTEN"],
        "lookalike-generator": stack.address("generator"),
    }
    token, folder = service_token(stack.home), tmp_path_factory.mktemp("prometheus")
    with watch(folder, addresses, token) as prometheus:
        asyncio.run(_send_what_is_no_image(stack))
        asyncio.run(_have_calls_refused(stack))
        # The first one makes series; a rate is of what comes later.
        for count in (1, 2):
            asyncio.run(_send_photo(stack))
            wait_until(partial(_has_seen, prometheus, count))
        yield Watched(stack, prometheus, addresses)


def _has_seen(prometheus: Prometheus, pictures: int) -> bool:
    return prometheus.figures('sum(lookalike_pictures_total{end="delivered"})') == [pictures]


async def _send_what_is_no_image(stack: Stack) -> None:
    async with People(stack.url("sandbox")) as people:
        chat = await people.add_user()
        file = await people.send_document(chat, b"\xff\xd8\xff\xe0 not really")
        await told(people, file, EN.ending("not-an-image"))


async def _have_calls_refused(stack: Stack) -> None:
    async with People(stack.url("sandbox")) as people:
        chat = await people.add_user()
        await people.react(await ask(people, chat, "/help"), "👍")  # which is no picture
        await people.add_fault("too_many_requests", method="sendPhoto", retry_after=1)


async def _send_photo(stack: Stack) -> None:
    async with People(stack.url("sandbox")) as people:
        chat = await people.add_user()
        await delivered(people, await people.send_photo(chat, cat()))
