"""The generator as its users start it: a process, with the real small model."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
from lxml import etree

from tests.generator.stack import TOKEN, XML, element
from tests.waiting import eventually


@dataclass
class GeneratorProcess:
    """A generator that runs.

    Attributes:
        process: it.
        client: asks it, with the token.
        lines: of its log, as they come.
        reading: ends with the log.
    """

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    lines: list[str] = field(default_factory=list)
    reading: asyncio.Task[None] | None = None

    async def put(self, body: bytes) -> UUID:
        identity = uuid4()
        response = await self.client.put(f"/v1/jobs/{identity}", content=body, headers=XML)
        assert response.status_code == 202, response.text
        return identity

    async def get(self, identity: UUID) -> etree._Element:
        return element(await self.client.get(f"/v1/jobs/{identity}"))

    async def reach(
        self, identity: UUID, state: str, *, step: int = 0, seconds: float = 30
    ) -> etree._Element:
        async def check() -> etree._Element | None:
            found = await self.get(identity)
            done = int(found.xpath("string(*[local-name()='progress']/@step)") or 0)
            return found if found.get("state") == state and done >= step else None

        return await eventually(check, seconds)

    async def end(self) -> int:
        code = await self.process.wait()
        if self.reading is not None:
            await self.reading
        return code


def environment(home: Path, **more: str) -> dict[str, str]:
    """Of a generator with the small model, in this home."""
    return {
        **os.environ,
        "LOOKALIKE_HOME": str(home),
        "SERVICE_TOKEN": TOKEN,
        "GENERATOR_LISTEN": "127.0.0.1:0",
        "GENERATOR_MODEL": "emoji",
        "GENERATOR_DEVICE": "cpu",
        "OMP_NUM_THREADS": "2",
        **more,
    }


@asynccontextmanager
async def started(
    home: Path, module: str = "generator", **more: str
) -> AsyncGenerator[GeneratorProcess]:
    """A generator that listens, killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=environment(home, **more),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    lines: list[str] = []
    url = ""
    async with asyncio.timeout(30):
        async for line in process.stderr:
            lines.append(line.decode())
            if found := re.search(r"Listening on (\S+:\d+)\.$", line.decode().rstrip()):
                url = f"http://{found[1]}"
                break
    assert url, lines
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as client:
        running = GeneratorProcess(process, client, lines)
        running.reading = asyncio.create_task(_read(process.stderr, lines))
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await running.end()


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    async for line in stream:
        lines.append(line.decode())  # noqa: PERF401, tests look at them as they come
