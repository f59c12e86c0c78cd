"""Waiting for several events at once, without cancelling whatever talks to the database."""

import asyncio


async def any_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Returns when one of the events is set or the time is over; `seconds` None: no limit."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
