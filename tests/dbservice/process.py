"""dbservice as its users start it: a process."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from tests.dbservice.client import TOKEN, Client

_LISTENING = re.compile(r"INFO dbservice: Listening on (127\.0\.0\.1:\d+)\.$")


@dataclass
class Process:
    """A running dbservice and what it wrote to stderr until it listened."""

    process: asyncio.subprocess.Process
    address: str
    log: list[str]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with grpc.aio.insecure_channel(self.address) as channel:
            yield Client(channel)

    async def stop(self) -> int:
        """Asks it to stop, and returns the exit code."""
        self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 10)


async def launch(home: Path, **environment: str) -> asyncio.subprocess.Process:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DBSERVICE", "DATABASE", "BLOB", "USER_MAX"))
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "dbservice",
        env=clean
        | {
            "LOOKALIKE_HOME": str(home),
            "DBSERVICE_LISTEN": "127.0.0.1:0",
            "SERVICE_TOKEN": TOKEN,
            **environment,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running_process(home: Path, **environment: str) -> AsyncIterator[Process]:
    process = await launch(home, **environment)
    assert process.stderr is not None
    log: list[str] = []
    try:
        async with asyncio.timeout(30):
            while line := (await process.stderr.readline()).decode().rstrip():
                log.append(line)
                if listening := _LISTENING.search(line):
                    break
            else:
                raise AssertionError("\n".join(log))
        yield Process(process, listening[1], log)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def failed_start(home: Path, **environment: str) -> tuple[int | None, str]:
    """The exit code and the stderr of a process that cannot start."""
    process = await launch(home, **environment)
    try:
        out, err = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    assert out == b""
    return process.returncode, err.decode()
