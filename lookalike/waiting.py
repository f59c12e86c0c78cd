"""Waiting for several events at once, without cancelling whatever talks to the database."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def any_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Returns when one of the events is set or the time is over; `seconds` None: no limit."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Does the work, whose errors are raised; False: it was cancelled, since `stop` was set."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
        return working.done()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
