"""Waiting for what happens elsewhere: in another process, or in another task."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Looks every now and then, until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true within {seconds} s"
        time.sleep(0.05)


async def eventually(look: Callable[[], Awaitable[_T | None]], seconds: float = 30) -> _T:
    """What `look` finds, as soon as that is something."""
    async with asyncio.timeout(seconds):
        while (found := await look()) is None:  # noqa: ASYNC110, nobody rings
            await asyncio.sleep(0.01)
    return found


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Waits for what no event announces."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110, there is no event
            await asyncio.sleep(0.01)
