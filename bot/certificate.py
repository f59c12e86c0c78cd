"""Until when the certificate is valid under which Telegram and people reach the bot."""

import asyncio
import ssl
import time
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, Gauge

_LOOK_SECONDS = 3600.0
_AGAIN_SECONDS = 300.0  # after one that failed
_CONNECT_SECONDS = 3.0
_HTTPS = 443


class CertificateGauge:
    """Looks at the certificate as a caller would, now and then.

    While nobody answers, nothing is told of it.
    """

    def __init__(
        self, registry: CollectorRegistry, public_url: str, context: ssl.SSLContext | None = None
    ) -> None:
        """Looks at nothing yet.

        Args:
            registry: what is told.
            public_url: an https address.
            context: says whom to trust; None: those whom the system trusts.
        """
        parts = urlsplit(public_url)
        self._address = (parts.hostname, parts.port or _HTTPS)
        self._context = context
        self._next_look = 0.0
        self._expires = Gauge(
            "lookalike_webhook_certificate_expiry_timestamp_seconds",
            "When the certificate of BOT_PUBLIC_URL expires, in seconds since 1970; missing while "
            "it is not trusted.",
            ["host"],
            registry=registry,
        )
        self._trusted = Gauge(
            "lookalike_webhook_certificate_trusted",
            "1: the certificate of BOT_PUBLIC_URL is trusted; 0: it is not, or has expired.",
            ["host"],
            registry=registry,
        )

    async def refresh(self) -> None:
        """Looks, if the last time is long enough ago.

        Raises:
            OSError: nobody answers.
        """
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _AGAIN_SECONDS
        self._expires.clear()
        self._trusted.clear()
        host, _ = self._address
        expires = await self._look()
        self._trusted.labels(host).set(expires is not None)
        if expires is not None:
            self._expires.labels(host).set(expires)
        self._next_look = now + _LOOK_SECONDS

    async def _look(self) -> float | None:
        """When it expires; None: it is not trusted."""
        host, port = self._address
        context = self._context or await asyncio.to_thread(ssl.create_default_context)
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
