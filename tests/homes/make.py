"""Makes a home with rows in every state and the bytes that they name, and keeps it.

    python -m tests.homes.make tests/homes/0.1.0

It is run once for each version that is released and whose tables differ, with the code of that
version; what is kept is never made anew.
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import grpc
from pydantic import SecretStr

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.transitions import ENDED, TRANSITIONS
from generator.tasks import SafetyRejected
from protos.lookalike.db.v1 import db_pb2 as db
from tests import homes
from tests.dbservice.client import TOKEN, USER, Client
from tests.generator.stack import job, serving


async def _photos(home: Path) -> None:
    """Generations of every state, those that have ended once open and once closed."""
    settings = DbserviceSettings(
        lookalike_home=home, dbservice_listen="127.0.0.1:0", service_token=SecretStr(TOKEN)
    )
    clock = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    async with (
        running(settings, lambda: clock) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        client = Client(channel)
        message_id = 0
        for state in TRANSITIONS:
            message_id += 1
            await client.to_state(state, message_id)
        for state in ENDED:
            message_id += 1
            await client.close(await client.to_state(state, message_id))
        delivered = await client.to_state(db.GENERATION_STATE_DELIVERED, USER)
        patch = db.GenerationPatch(
            caption_message_id=5, status_message_id=6, result_message_id=7, result_file_id="sent"
        )
        here = db.GENERATION_STATE_DELIVERED
        await client.advance(delivered, here, here, patch)
        await client.close(delivered)
        parameters = db.Parameters(prompt="a dog", negative_prompt="blurry", seed=3, width=512)
        await client.create(delivered.item.photo.id, 1, parameters=parameters)


async def _jobs(home: Path) -> None:
    """Jobs of every state."""
    async with serving(home) as stack:
        stack.executor.go()
        await stack.reach(await stack.put(job("finished", owner="telegram:42")), "finished")
        stack.executor.endings.append(SafetyRejected())
        await stack.reach(await stack.put(job("refused", seed=1)), "refused")
        stack.executor.endings += [RuntimeError("broken")] * 3
        await stack.reach(await stack.put(job("failed", width=64, height=64)), "failed")
    async with serving(home) as stack:
        running = await stack.put(job("running"))
        await stack.reach(running, "running")
        cancelled = await stack.put(job("cancelled"))
        await stack.client.delete(f"/v1/jobs/{cancelled}")
        await stack.put(job("queued", owner="telegram:43", negative="blurry"))
        await stack.reach(cancelled, "cancelled")
        homes.keep(home, Path(sys.argv[1]))  # while it still runs


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_photos(Path(name)))
        asyncio.run(_jobs(Path(name)))
