"""How Azure's SDK reaches the network, with answers bounded while they come.

The SDK reads a body to its end, and unpacks it to whatever size.
"""

from typing import Final

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

MOST_BYTES: Final = 1024 * 1024
"""Of an answer; a caption's has under a thousand."""


class _Answer(aiohttp.ClientResponse):
    """An answer that ends in an error where it becomes too long."""

    async def read(self) -> bytes:
        """The body, of which no more is read than anybody wants."""
        if self.headers.get("Content-Encoding", "identity") != "identity":
            self.close()
            raise aiohttp.ClientPayloadError("the answer is packed, unasked")
        body = bytearray()
        async for part in self.content.iter_any():
            body += part
            if len(body) > MOST_BYTES:
                self.close()
                raise aiohttp.ClientPayloadError("the answer is too long")
        return bytes(body)


class BoundedTransport(AioHttpTransport):  # type: ignore[misc]  # the SDK hides its type
    """A transport of the SDK's; it takes no proxy from the environment."""

    session: aiohttp.ClientSession | None

    async def open(self) -> None:
        """Opens the session, once."""
        if self.session is None:
            self.session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"Accept-Encoding": "identity"},
                response_class=_Answer,
            )
        await super().open()
