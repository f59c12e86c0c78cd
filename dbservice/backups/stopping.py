"""Work that somebody may stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from lookalike.errors import StartError

_R = TypeVar("_R")


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, _R]) -> _R:
    """What the work gives; it is cancelled if `stop` is set before.

    Raises:
        StartError: it was stopped.
    """
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopped.cancel()
    if task.done():
        return task.result()
    task.cancel()
    await asyncio.wait({task})
    raise StartError("It was stopped before it was done.", passing=True)
