"""Whole lives of pictures in dbservice, as bots would ask for them, without bots."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count, pairwise
from typing import Final

import grpc

from benchmarks.scale.fleet import SERVICE_TOKEN
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import CAPTION, Client

_WAY: Final = (
    db.GENERATION_STATE_STORED,
    db.GENERATION_STATE_CAPTIONED,
    db.GENERATION_STATE_QUEUED,
    db.GENERATION_STATE_RUNNING,
)
_USERS: Final = 100_000  # of each bot, and each sends one photo
_PHOTO: Final = bytes(100_000)
_PICTURE: Final = bytes(100_000)


async def measure(addresses: Sequence[str], at_once: int, seconds: float) -> float:
    """Lives a second: a photo recorded, stored, captioned, painted, delivered and closed.

    Args:
        addresses: of the dbservices; each of those at once asks one of them.
        at_once: how many lives go on at a time, each of a bot of its own.
        seconds: for how long.
    """
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(each)) for each in addresses
        ]
        end = time.perf_counter() + seconds
        lives = await asyncio.gather(
            *(
                _live(Client(channels[bot % len(channels)], SERVICE_TOKEN), bot, end)
                for bot in range(1, at_once + 1)
            )
        )
    return sum(lives) / seconds


async def _live(client: Client, bot: int, end: float) -> int:
    """Lives one after the other, until the time is over; how many."""
    for number in count():
        if time.perf_counter() >= end:
            return number
        user = bot * _USERS + number
        await client.receive(1, user=user, chat=user, bot=bot)
        (lease,) = await client.lease(f"bot-{bot}", bot=bot)
        await client.store(lease, _PHOTO)
        for here, there in pairwise(_WAY):
            patch = db.GenerationPatch(caption=CAPTION, prompt=CAPTION.text)
            await client.advance(lease, here, there, patch)
        await client.finish(lease, _PICTURE)
        finished, delivered = db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED
        await client.advance(lease, finished, delivered)
        await client.close(lease)
    raise AssertionError
