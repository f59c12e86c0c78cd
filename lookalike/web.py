"""Serves an ASGI application with uvicorn, under our own start and stop, within bounds."""

import asyncio
import contextlib
import logging
import resource
import socket
import time
from collections.abc import Collection, Generator
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from lookalike.errors import passes
from lookalike.waiting import any_of

_HEAD_SECONDS = 10.0
"""How long the head of a request may take to arrive; after that its connection is closed."""

_BODY_SECONDS = 60.0
"""Likewise the body, whatever a route allows."""

_UNREAD_SECONDS = 60.0
"""How long an answer may lie there with nobody reading it."""

_MOST_CONNECTIONS = 1000

_ACCEPTED_AT_ONCE = 32
"""The event loop accepts so many connections before it looks at the first."""

_WAITING = 1024  # connections that the kernel keeps until then

_TOLD_SECONDS = 60.0

_log = logging.getLogger(__name__)


class _Connection(H11Protocol):
    """A connection that is closed when its request does not arrive, or when there are too many."""

    _timer: asyncio.TimerHandle | None = None
    _awaited: Any = None  # what h11 said of the other side when the timer was set
    _since = 0.0
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Makes room for itself."""
        super().connection_made(transport)
        self._since = time.monotonic()
        self._watch()
        _make_room(self.connections, self)

    def data_received(self, data: bytes) -> None:
        """Sets the time for what is to come."""
        super().data_received(data)
        self._watch()

    def pause_writing(self) -> None:
        """The other side does not read: sets the time for that."""
        super().pause_writing()
        self._unread = self.loop.call_later(_UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read what there was."""
        super().resume_writing()
        self._stop_unread()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends."""
        self._cancel()
        self._stop_unread()
        super().connection_lost(exc)

    @property
    def rank(self) -> tuple[bool, float]:
        """The lowest makes room first: the oldest without work here, then the newest with.

        There is work while a whole request is answered and the answer is read.
        """
        answering = self.cycle is not None and not self.cycle.response_complete
        whole = self.conn.their_state not in {h11.IDLE, h11.SEND_BODY}
        works = answering and whole and not self.flow.write_paused
        return works, -self._since if works else self._since

    def _watch(self) -> None:
        awaited = self.conn.their_state
        if awaited is self._awaited:
            return  # more of the same: its time runs on
        self._cancel()
        self._awaited = awaited
        seconds = {h11.IDLE: _HEAD_SECONDS, h11.SEND_BODY: _BODY_SECONDS}.get(awaited)
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _stop_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _make_room(connections: Collection[Any], newest: _Connection) -> None:
    """Closes a connection where there are too many, but not the newest: it has yet to ask."""
    # Half of what this process may open: the other half is for its work.
    most = min(_MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    if len(connections) > most:
        there = [each for each in connections if not each.transport.is_closing()]
        if len(there) > most:
            others = (each for each in there if each is not newest)
            min(others, key=lambda each: each.rank).transport.abort()


class _Server(uvicorn.Server):
    """Stops when it is asked to, and leaves the signals to `lookalike.lifecycle`."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event) -> None:
        super().__init__(config)
        self._stop = stop

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Captures none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets more connections wait in the kernel than are accepted at once."""
        await super().startup(sockets)
        for each in sockets or ():
            each.listen(_WAITING)

    async def main_loop(self) -> None:
        """Wakes once a second, for the Date header, where uvicorn's own does ten times."""
        while not self._stop.is_set():
            await self.on_tick(0)
            await any_of(self._stop, seconds=1.0)


def _log_sparingly(loop: asyncio.AbstractEventLoop) -> None:
    """Has the loop say in one line a minute, and not in thousands, that it cannot accept."""
    told = -_TOLD_SECONDS

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal told
        error = context.get("exception")
        if "accept" not in context["message"] or error is None or not passes(error):
            loop.default_exception_handler(context)
        elif time.monotonic() - told >= _TOLD_SECONDS:
            told = time.monotonic()
            _log.warning("No connection can be accepted just now: %s.", error.strerror)

    loop.set_exception_handler(handle)


def _with_head(app: Any) -> Any:
    """The application, which answers HEAD wherever it answers GET; uvicorn leaves the body out."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await app(scope, receive, send)

    return answer


async def serve(app: Any, bound: socket.socket, stop: asyncio.Event) -> None:
    """Serves `app` on a bound socket until `stop` is set; open requests get 3 s to end.

    A connection is closed when the head of its request takes more than 10 s, or its body more than
    60 s, or when its answer is not read for 60 s; where there are too many, the oldest that has no
    whole request, or does not read the answer, makes room. HEAD is answered wherever GET is.
    """
    _log_sparingly(asyncio.get_running_loop())
    config = uvicorn.Config(
        _with_head(app),
        http=_Connection,
        log_config=None,  # the root handlers redact
        access_log=False,
        server_header=False,
        backlog=_ACCEPTED_AT_ONCE,
        timeout_graceful_shutdown=3,
    )
    await _Server(config, stop).serve(sockets=[bound])
