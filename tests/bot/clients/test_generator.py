"""What answers for the generator, and is not it."""

import pytest

from bot.clients import documents
from bot.clients.generator import GeneratorClient, GeneratorUnavailable
from tests.bot.desk import SERVICE_TOKEN, Desk

ID = "00000000-0000-4000-8000-000000000001"


async def ask(url: str, token: str) -> str:
    client = GeneratorClient(url, token)
    try:
        with pytest.raises(GeneratorUnavailable) as raised:
            await client.get_job(ID)
    finally:
        client.close()
    return str(raised.value)


async def test_another_token_is_not_refused_for_good(desk: Desk) -> None:
    assert "SERVICE_TOKEN" in await ask(desk.settings.generator_url, "another-token-than-its-own")


async def test_another_service_at_its_address(desk: Desk) -> None:
    assert "no generator" in await ask(desk.settings.telegram_api_url, SERVICE_TOKEN)


async def test_nobody_at_its_address() -> None:
    assert await ask("http://127.0.0.1:1", SERVICE_TOKEN) == "ConnectionError"


@pytest.mark.parametrize(
    "content",
    [
        b"<html",
        b'<job xmlns="urn:lookalike:generator:1" state="queued"><position>x</position></job>',
    ],
)
def test_an_answer_that_is_not_its_own(content: bytes) -> None:
    with pytest.raises(documents.NotUnderstood):
        documents.read_job(content)
