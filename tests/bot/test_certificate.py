"""Until when the webhook's certificate is valid, as a scrape tells it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trustme

from bot import certificate

EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)
NAME = "lookalike_webhook_certificate_expiry_timestamp_seconds"
TRUSTED = "lookalike_webhook_certificate_trusted"


@asynccontextmanager
async def front(expires: datetime) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """A web server with a certificate; gives its address and a context that trusts it."""
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", not_after=expires).configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(answer, "localhost", 0, ssl=serving) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}", trusting


async def told(public_url: str, context: ssl.SSLContext | None) -> Mapping[str, float]:
    metrics = await certificate.look(public_url, context)
    samples = [sample for metric in metrics for sample in metric.samples]
    assert [sample.labels for sample in samples] == [{"host": "localhost"}] * len(samples)
    return {sample.name: sample.value for sample in samples}


async def test_it_tells_when_it_expires() -> None:
    async with front(EXPIRES) as (url, trusting):
        assert await told(url, trusting) == {NAME: EXPIRES.timestamp(), TRUSTED: 1}


async def test_what_has_expired_or_is_trusted_by_nobody_is_told() -> None:
    async with front(EXPIRES) as (url, _):
        assert await told(url, None) == {TRUSTED: 0}
    async with front(datetime(2020, 1, 1, tzinfo=UTC)) as (url, trusting):
        assert await told(url, trusting) == {TRUSTED: 0}


async def test_it_is_missing_while_nobody_answers() -> None:
    async with front(EXPIRES) as (url, trusting):
        pass
    with pytest.raises(OSError, match="Connect"):
        await certificate.look(url, trusting)
