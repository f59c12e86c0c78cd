"""Waiting for something to happen, for the client to go, or for the end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.requests import Request


class Bell:
    """Wakes everybody who waits, each time that something has changed.

    Take `next_ring` before you look at what may have changed, and wait for it after: a change in
    between is then not missed.
    """

    def __init__(self) -> None:
        self._ring = asyncio.Event()

    def ring(self) -> None:
        """Wakes everybody who waits now."""
        self._ring.set()
        self._ring = asyncio.Event()

    def next_ring(self) -> asyncio.Event:
        """Set when the bell rings the next time."""
        return self._ring


async def wait_any(*events: asyncio.Event, seconds: float | None) -> None:
    """Returns when one of the events is set or the time is over."""
    waiters = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiters, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


@contextlib.asynccontextmanager
async def watching_client(request: Request) -> AsyncIterator[asyncio.Event]:
    """Gives an event that is set when the client has gone; the body must have been read before."""
    gone = asyncio.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watcher = asyncio.create_task(watch())
    try:
        yield gone
    finally:
        watcher.cancel()
