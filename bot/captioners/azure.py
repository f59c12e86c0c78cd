"""Captions by Azure AI Vision, Image Analysis 4.0.

The SDK does not retry: whoever asks keeps the photo and asks again, so that a 429's Retry-After
blocks nobody.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import AzureError, HttpResponseError

from bot.captioners.base import (
    Caption,
    CaptionerMisconfigured,
    CaptionerUnavailable,
    PhotoRefused,
    clean_text,
)
from lookalike.proxies import proxy_for
from lookalike.settings import LOOPBACK_HOSTS

RETIREMENT: Final = "2028-09-25"
"""When Microsoft switches Image Analysis off (learn.microsoft.com, Image Analysis overview)."""

REGIONS: Final = (
    "East US",
    "West US",
    "France Central",
    "North Europe",
    "West Europe",
    "Southeast Asia",
    "East Asia",
    "Korea Central",
)
"""Those that have captions (learn.microsoft.com, Image Analysis overview, region availability)."""

MAX_RETRY_AFTER: Final = 300.0
"""Seconds; a longer wish to be left alone is cut to this."""

_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 30.0
_DEADLINE_SECONDS: Final = 60.0  # sending has no limit of its own

_MESSAGE_CHARACTERS: Final = 200
_REGION: Final = "not supported in this region"
_QUOTA: Final = "quota"

_log = logging.getLogger(__name__)


def check_endpoint(url: str) -> None:
    """Checks the address of an Azure AI Vision resource.

    The SDK sends the key over plain http without complaint, so that is allowed for loopback only.

    Raises:
        ValueError: it cannot be used; the text says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise ValueError("write it as https://<resource>.cognitiveservices.azure.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("http would send the key in the clear; use https (http is for loopback)")


class AzureCaptioner:
    """One sentence and a confidence for each photo, over HTTPS."""

    name = "azure"

    def __init__(self, endpoint: str, key: str) -> None:
        """Connects when the first photo comes.

        Args:
            endpoint: the resource's address, as `check_endpoint` allows it.
            key: the resource's key.
        """
        from azure.ai.vision.imageanalysis.aio import ImageAnalysisClient

        from bot.captioners.transport import BoundedTransport

        self._key = key
        proxy = proxy_for(endpoint)  # none for plain http, which is to loopback alone
        self._client = ImageAnalysisClient(
            endpoint,
            AzureKeyCredential(key),
            retry_total=0,
            transport=BoundedTransport(
                connection_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS
            ),
            permit_redirects=False,  # the key's header would go along to any host
            proxies=proxy and {"https": proxy},
        )
        _log.warning(
            "Azure AI Vision Image Analysis is retired on %s; "
            "from then on another CAPTIONER has to be chosen.",
            RETIREMENT,
        )

    async def caption(self, image: bytes) -> Caption:
        """Asks for the caption, in English and gender-neutral; see `Captioner`."""
        result = await self._analyze(image)
        # The SDK passes on whatever JSON came.
        said = getattr(result, "caption", None)
        text = getattr(said, "text", None)
        return Caption(
            clean_text(text if isinstance(text, str) else ""),
            _probability(getattr(said, "confidence", None)),
            self._redact(str(result.model_version or "")),
        )

    async def probe(self) -> str:
        """Shows Azure the key, free of charge: what is sent is no image and is refused after it.

        Returns:
            The resource's region as Azure spells it; "" where the answer does not name it.

        Raises:
            CaptionerUnavailable: ask again later.
            CaptionerMisconfigured: the key, the endpoint or the region cannot be used.
        """
        regions = [""]

        def note(response: Any) -> None:
            regions.append(response.http_response.headers.get("x-ms-region", ""))

        with contextlib.suppress(PhotoRefused):
            await self._analyze(b"no image", raw_response_hook=note)
        region = self._redact(regions[-1])
        if region and _plain(region) not in map(_plain, REGIONS):
            raise CaptionerMisconfigured(
                f"The resource of AZURE_VISION_ENDPOINT is in {region}, which has no captions"
            )
        return region

    async def _analyze(self, image: bytes, **options: Any) -> Any:
        from azure.ai.vision.imageanalysis.models import VisualFeatures

        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await self._client.analyze(
                    image,
                    [VisualFeatures.CAPTION],
                    language="en",
                    gender_neutral_caption=True,
                    **options,
                )
        except HttpResponseError as error:
            raise self._meaning(error) from None
        except (AzureError, TimeoutError) as error:
            message = self._redact(str(error)) or "no answer in time"
            raise CaptionerUnavailable(f"Azure AI Vision cannot be reached: {message}") from None
        except (ValueError, RecursionError):  # 200 with text/html, as from a captive portal
            raise CaptionerUnavailable("Azure AI Vision's answer is not JSON") from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    def _meaning(
        self, error: HttpResponseError
    ) -> CaptionerUnavailable | CaptionerMisconfigured | PhotoRefused:
        """What an answer other than a caption asks of us."""
        status = error.status_code or 0
        message = self._redact(f"{status} {_message(error)}")
        headers = getattr(error.response, "headers", {})
        if status == 403 and _QUOTA in message.lower():  # noqa: PLR2004, the month's calls are used up
            return CaptionerUnavailable(f"Azure AI Vision answers {message}", _retry_after(headers))
        if status in {401, 403}:
            return CaptionerMisconfigured(f"Azure AI Vision refuses AZURE_VISION_KEY: {message}")
        if status == 404:  # noqa: PLR2004
            return CaptionerMisconfigured(f"AZURE_VISION_ENDPOINT is no Azure AI Vision: {message}")
        if status == 400 and _REGION in message:  # noqa: PLR2004
            return CaptionerMisconfigured(f"The region of AZURE_VISION_ENDPOINT: {message}")
        if status in {408, 429} or not 400 <= status < 500:  # noqa: PLR2004
            return CaptionerUnavailable(f"Azure AI Vision answers {message}", _retry_after(headers))
        return PhotoRefused(f"Azure AI Vision answers {message}")

    def _redact(self, text: str) -> str:
        """Somebody else's text, fit for a log and an exception, and never with the key."""
        printable = "".join(c if c.isprintable() else " " for c in text)
        return " ".join(printable.replace(self._key, "[redacted]").split())[:_MESSAGE_CHARACTERS]


def _plain(region: str) -> str:
    """A region's name as addresses write it: eastus."""
    return region.replace(" ", "").lower()


def _message(error: HttpResponseError) -> str:
    return str((error.error and error.error.message) or error.reason or "")


def _probability(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from the headers that Azure's own retry policy reads, in its order."""
    for name, unit in (
        ("Retry-After", 1.0),
        ("retry-after-ms", 0.001),
        ("x-ms-retry-after-ms", 0.001),
    ):
        seconds = _seconds(headers.get(name, ""), unit)
        if seconds is not None:
            return min(max(seconds, 0.0), MAX_RETRY_AFTER)
    return None


def _seconds(value: str, unit: float) -> float | None:
    """A number in `unit` or an HTTP date (RFC 9110, 10.2.3) as seconds from now."""
    try:
        seconds = float(value) * unit
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return (date - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else seconds
