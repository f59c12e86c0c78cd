"""Jobs in the generators' queue, as bots would submit them, without bots."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count

import httpx

from benchmarks.scale.fleet import SERVICE_TOKEN
from protos import GENERATOR_NAMESPACE
from tests.sandbox.client import LOOPBACK


async def measure(addresses: Sequence[str], at_once: int, seconds: float) -> float:
    """Pictures a second: a job submitted, claimed, finished and deleted, by the synchronous call.

    One that looks again and again, as bots do, would measure how fast it is answered.

    Args:
        addresses: of the generators; each of those at once asks one of them.
        at_once: how many owners have a job at a time.
        seconds: for how long.
    """
    headers = {"Authorization": f"Bearer {SERVICE_TOKEN}", "Content-Type": "application/xml"}
    headers["Accept"] = "image/png"
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"http://{each}", headers=headers, **LOOPBACK)
            )
            for each in addresses
        ]
        end = time.perf_counter() + seconds
        done = await asyncio.gather(
            *(_paint(clients[owner % len(clients)], owner, end) for owner in range(at_once))
        )
    return sum(done) / seconds


async def _paint(client: httpx.AsyncClient, owner: int, end: float) -> int:
    """One picture after the other, until the time is over; how many."""
    for number in count():
        if time.perf_counter() >= end:
            return number
        job = (
            f'<job xmlns="{GENERATOR_NAMESPACE}"><prompt>a cat</prompt><owner>{owner}</owner>'
            "<steps>1</steps></job>"
        )
        (await client.post("/generate_image", content=job)).raise_for_status()
    raise AssertionError
