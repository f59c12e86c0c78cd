"""Until when the webhook's certificate is valid, as a scrape tells it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trustme
from prometheus_client import CollectorRegistry, generate_latest

from bot.certificate import CertificateGauge
from tests.metrics import samples

EXPIRES = datetime(2100, 1, 1, tzinfo=UTC)
NAME = 'lookalike_webhook_certificate_expiry_timestamp_seconds{host="localhost"}'
TRUSTED = 'lookalike_webhook_certificate_trusted{host="localhost"}'


@asynccontextmanager
async def front(expires: datetime) -> AsyncIterator[tuple[str, ssl.SSLContext]]:
    """A web server with a certificate; gives its address and a context that trusts it."""
    authority = trustme.CA()
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate = authority.issue_cert("localhost", not_after=expires)
    certificate.configure_cert(serving)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with await asyncio.start_server(answer, "localhost", 0, ssl=serving) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"https://localhost:{port}", trusting


async def told(public_url: str, context: ssl.SSLContext | None) -> Mapping[str, float]:
    registry = CollectorRegistry()
    await CertificateGauge(registry, public_url, context).refresh()
    return samples(generate_latest(registry).decode())


async def test_it_tells_when_it_expires() -> None:
    async with front(EXPIRES) as (url, trusting):
        assert await told(url, trusting) == {NAME: EXPIRES.timestamp(), TRUSTED: 1}


async def test_what_has_expired_or_is_trusted_by_nobody_is_told() -> None:
    async with front(EXPIRES) as (url, _):
        assert await told(url, None) == {TRUSTED: 0}
    async with front(datetime(2020, 1, 1, tzinfo=UTC)) as (url, trusting):
        assert await told(url, trusting) == {TRUSTED: 0}


async def test_it_is_missing_while_nobody_answers_and_looked_at_now_and_then() -> None:
    registry = CollectorRegistry()
    async with front(EXPIRES) as (url, trusting):
        gauge = CertificateGauge(registry, url, trusting)
        await gauge.refresh()
    await gauge.refresh()  # nobody is asked again within the hour
    assert samples(generate_latest(registry).decode())[NAME] == EXPIRES.timestamp()
    gauge = CertificateGauge(CollectorRegistry(), url, trusting)
    with pytest.raises(OSError, match="Connect"):
        await gauge.refresh()
    await gauge.refresh()
