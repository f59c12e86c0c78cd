"""Until when the certificate is valid under which Telegram and people reach the bot."""

import asyncio
import ssl
from collections.abc import Iterable
from urllib.parse import urlsplit

from prometheus_client.core import Metric

from lookalike.metrics import gauge

_CONNECT_SECONDS = 3.0
_HTTPS = 443


async def look(public_url: str, context: ssl.SSLContext | None = None) -> Iterable[Metric]:
    """Looks at it as a caller would.

    Args:
        public_url: an https address.
        context: says whom to trust; None: those whom the system trusts.

    Raises:
        OSError: nobody answers.
    """
    parts = urlsplit(public_url)
    host, port = parts.hostname or "", parts.port or _HTTPS
    expires = await _expiry(host, port, context)
    trusted = gauge(
        "webhook_certificate_trusted",
        "1: the certificate of BOT_PUBLIC_URL is trusted; 0: it is not, or has expired.",
        {host: float(expires is not None)},
        "host",
    )
    if expires is None:
        return [trusted]
    expiry = gauge(
        "webhook_certificate_expiry_timestamp_seconds",
        "When the certificate of BOT_PUBLIC_URL expires, in seconds since 1970; missing while it "
        "is not trusted.",
        {host: expires},
        "host",
    )
    return [trusted, expiry]


async def _expiry(host: str, port: int, context: ssl.SSLContext | None) -> float | None:
    """In seconds since 1970; None: it is not trusted."""
    context = context or await asyncio.to_thread(ssl.create_default_context)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLCertVerificationError:
        return None
    try:
        certificate = writer.get_extra_info("peercert")
        return float(ssl.cert_time_to_seconds(certificate["notAfter"]))
    finally:
        writer.transport.abort()
