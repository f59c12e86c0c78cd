"""A web server in front of several bots: each request goes to the next of them, whole."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count

_ANSWER_SECONDS = 3.0
_AWAY = b"HTTP/1.1 503 Away\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

_ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Balancer:
    """Passes requests on, in turns.

    Attributes:
        address: where it listens.
        backends: where the bots listen, as host:port.
        lost: answers that are still to be kept from whoever asks, who hears 503 instead.
        late: what a request has in it that is accepted at once, and passed on by `catch_up`.
        passed: how many requests each has answered.
    """

    address: str
    backends: list[str] = field(default_factory=list)
    lost: int = 0
    late: bytes | None = None
    passed: dict[str, int] = field(default_factory=dict)
    _turns: "count[int]" = field(default_factory=count)
    _kept: list[bytes] = field(default_factory=list)

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers a request with what the next bot answers; 503 where there is none in time."""
        answer = _AWAY
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            request = await _read(reader)
            if self.late is not None and self.late in request:
                self._kept.append(request)
                answer = _ACCEPTED
            elif self.backends:
                answer = await self._pass(request)
            if self.lost:
                self.lost -= 1
                answer = _AWAY
        with suppress(OSError):
            writer.write(answer)
            await writer.drain()
            writer.close()

    async def catch_up(self) -> list[bytes]:
        """Passes on what comes late; gives the answers."""
        self.late = None
        answers = [await self._pass(request) for request in self._kept]
        self._kept = []
        return answers

    async def _pass(self, request: bytes) -> bytes:
        backend = self.backends[next(self._turns) % len(self.backends)]
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer = await _ask(backend, request)
        self.passed[backend] = self.passed.get(backend, 0) + 1
        return answer


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return head + await reader.readexactly(length)


async def _ask(backend: str, request: bytes) -> bytes:
    host, _, port = backend.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        await writer.drain()
        return await reader.read()
    finally:
        writer.close()


@asynccontextmanager
async def balancing() -> AsyncIterator[Balancer]:
    """A balancer with nobody behind it yet, while the context lasts."""
    balancer = Balancer("")
    server = await asyncio.start_server(balancer.pass_on, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        balancer.address = f"{host}:{port}"
        yield balancer
