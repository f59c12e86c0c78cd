"""Jobs in the generators' queue, as bots would submit them, without bots."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Final
from uuid import uuid4

import httpx

from benchmarks.scale.fleet import SERVICE_TOKEN
from protos import GENERATOR_NAMESPACE
from tests.sandbox.client import LOOPBACK

_LOOK_SECONDS: Final = 0.05


async def measure(addresses: Sequence[str], at_once: int, seconds: float) -> float:
    """Pictures a second: a job submitted, claimed, finished and deleted.

    Args:
        addresses: of the generators; each of those at once asks one of them.
        at_once: how many owners have a job at a time.
        seconds: for how long.
    """
    headers = {"Authorization": f"Bearer {SERVICE_TOKEN}", "Content-Type": "application/xml"}
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
        url = f"/v1/jobs/{uuid4()}"
        job = (
            f'<job xmlns="{GENERATOR_NAMESPACE}"><prompt>a cat</prompt><owner>{owner}</owner></job>'
        )
        (await client.put(url, content=job)).raise_for_status()
        while 'state="finished"' not in (await client.get(url)).text:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        (await client.delete(url)).raise_for_status()
    raise AssertionError
