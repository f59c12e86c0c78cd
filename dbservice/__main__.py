"""`python -m dbservice`."""

import asyncio
import logging

from dbservice.server import running
from dbservice.settings import DbserviceSettings
from lookalike.lifecycle import run

_log = logging.getLogger("dbservice")


async def _main(settings: DbserviceSettings, stop: asyncio.Event) -> None:
    async with running(settings) as address:
        _log.info("Listening on %s.", address)
        await stop.wait()


run("dbservice", DbserviceSettings, _main)
