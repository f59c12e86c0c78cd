"""The HTTP side of a replica: serves calls to an executor, one after another; see `executors.wire`.

It knows nothing of Ray, and is the same wherever an ASGI server runs it.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from generator.executors import wire
from generator.executors.base import Executor
from generator.executors.wire import Answer, BeginLine, CancelLine, NotUnderstood, TaskLine
from generator.tasks import CancelToken, ModelInfo, Step, Task
from generator.web.http import Authentication
from lookalike import tracing
from lookalike.waiting import unless

_CALL_SECONDS = 60.0
"""How long a call may take to say its tasks."""

_STUCK_SECONDS = 300.0
"""How long a step may go on that nobody waits for any more."""

_log = logging.getLogger(__name__)

_Lines = AsyncGenerator[bytes]


class _Gone(Exception):
    """The caller has closed the connection."""


@dataclass
class _Call:
    """A call that has said its tasks.

    Attributes:
        tasks: alike; empty: something else is asked.
        begin: what is asked.
        tokens: one for each task, or one in all.
        answers: what is to be answered; None: nothing more.
        gone: nobody waits for the answers any more.
    """

    tasks: Sequence[Task]
    begin: BeginLine
    tokens: Sequence[CancelToken]
    answers: asyncio.Queue[Answer | None] = field(default_factory=asyncio.Queue)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, lines: _Lines) -> None:
        """Hears what is said of it meanwhile, and whether somebody is there."""
        try:
            async for line in lines:
                said = wire.read_request(line)
                if isinstance(said, CancelLine) and said.task < len(self.tokens):
                    self.tokens[said.task].cancel()
        except (_Gone, NotUnderstood):
            self.gone.set()

    async def answer(self, send: Send) -> None:
        """Sends the answers until there are no more."""
        while (line := await self.answers.get()) is not None:
            await send(_body(line.encode(), more=True))
        await send(_body(b"", more=False))


class Painter:
    """Serves calls, as an ASGI application for one path."""

    def __init__(
        self, executor: Executor, unavailable: Mapping[str, str], on_stuck: Callable[[], None]
    ) -> None:
        """A painter whose executor has not loaded anything.

        Args:
            executor: computes.
            unavailable: presets that it cannot compute: why, in a sentence each, by name.
            on_stuck: is called when a step does not end that nobody waits for any more.
        """
        self._executor = executor
        self._unavailable = unavailable
        self._on_stuck = on_stuck
        self._model: ModelInfo | None = None
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def loaded(self, _app: Starlette) -> AsyncIterator[None]:
        """The model is loaded while this lasts."""
        try:
            model = await self._executor.load()
            self._model = replace(model, unavailable={**self._unavailable, **model.unavailable})
            yield
        finally:
            await self._executor.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves a call."""
        lines = _lines(receive)
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                call = await _read_call(lines)
        except _Gone:
            return
        except (NotUnderstood, TimeoutError) as error:
            late = isinstance(error, TimeoutError)
            status = HTTPStatus.REQUEST_TIMEOUT if late else HTTPStatus.UNPROCESSABLE_ENTITY
            await Response(str(error), status, media_type="text/plain")(scope, receive, send)
            return
        listening = asyncio.create_task(call.listen(lines))
        parent = tracing.well_formed(Headers(scope=scope).get(tracing.HEADER, ""))
        try:
            async with self._turn:
                if not call.gone.is_set():
                    with tracing.span("paint", kind="server", parent=parent):
                        await self._serve(call, send)
        finally:
            listening.cancel()

    async def _serve(self, call: _Call, send: Send) -> None:
        """Answers a call whose turn has come; at the end of this nothing is computed any more."""
        if self._model is None:
            raise RuntimeError("the application's lifespan comes first")
        free = await self._executor.free_memory()
        headers = [(b"content-type", wire.MEDIA_TYPE.encode())]
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": headers})
        call.answers.put_nowait(wire.BegunLine(model=self._model, free_bytes=free))
        computing = asyncio.create_task(self._compute(call))
        try:
            await unless(call.gone, call.answer(send))
        finally:
            for token in call.tokens:
                token.cancel()
            stuck = asyncio.get_running_loop().call_later(_STUCK_SECONDS, self._stuck)
            await asyncio.wait({computing})
            stuck.cancel()

    async def _compute(self, call: _Call) -> None:
        def on_step(step: Step) -> None:
            call.answers.put_nowait(wire.StepLine.of(step))

        try:
            if call.begin.measure:
                times = await self._executor.measure(call.begin.measure, call.tokens[0])
                if times is not None:
                    call.answers.put_nowait(wire.MeasuredLine(times=times))
            elif call.tasks:
                outcomes = await self._executor.run(call.tasks, on_step, call.tokens)
                for number, outcome in enumerate(outcomes):
                    call.answers.put_nowait(wire.EndLine.of(number, outcome))
        except Exception as error:  # noqa: BLE001, whatever it is, the caller is told
            _log.exception("A computation broke off")
            call.answers.put_nowait(wire.BrokenLine(error=type(error).__name__))
        finally:
            call.answers.put_nowait(None)

    def _stuck(self) -> None:
        _log.error("A step has not ended for %.0f s after it was cancelled.", _STUCK_SECONDS)
        self._on_stuck()


def painter_app(painter: Painter, token: str) -> Starlette:
    """What a replica serves, below its prefix.

    Args:
        painter: serves calls.
        token: that callers have to show.
    """
    path = "/" + wire.CALLS_PATH.split("/", 2)[2]
    return Starlette(
        routes=[Route(path, painter, methods=["POST"])],
        middleware=_guard(token),
        lifespan=painter.loaded,
    )


def replicas_app(count: Callable[[], Awaitable[wire.ReplicasLine]], token: str) -> Starlette:
    """What tells how many replicas there are, below its prefix.

    Args:
        count: counts them.
        token: that callers have to show.
    """

    async def tell(_request: Request) -> Response:
        return Response((await count()).encode(), media_type="application/json")

    path = "/" + wire.REPLICAS_PATH.split("/", 2)[2]
    return Starlette(routes=[Route(path, tell)], middleware=_guard(token))


def _guard(token: str) -> list[Middleware]:
    return [Middleware(Authentication, token=token, open_paths=frozenset())]


async def _lines(receive: Receive) -> _Lines:
    """The lines of a request's body, which may go on while it is answered.

    Raises:
        _Gone: the caller has closed the connection.
        NotUnderstood: a line is too long.
    """
    splitter = wire.Splitter()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        for line in splitter.split(message.get("body", b"")):
            yield line


async def _read_call(lines: _Lines) -> _Call:
    """What is asked.

    Raises:
        _Gone: the caller has closed the connection.
        NotUnderstood: it is no call, or its tasks cannot be computed together.
    """
    tasks = list[Task]()
    async for line in lines:
        match wire.read_request(line):
            case TaskLine() as said if len(tasks) < wire.MAX_TASKS:
                tasks.append(said.task)
            case BeginLine() as begin:
                if len({_in_common(task) for task in tasks}) > 1:
                    raise NotUnderstood("the tasks are not alike")
                return _Call(tasks, begin, [CancelToken() for _ in tasks or ("all",)])
            case _:
                raise NotUnderstood("a call has up to 8 tasks, and then begins")
    raise _Gone


def _in_common(task: Task) -> tuple[object, ...]:
    size = task.width, task.height
    return size, task.preset, task.steps, task.guidance_scale, task.computed_steps


def _body(piece: bytes, *, more: bool) -> dict[str, object]:
    return {"type": "http.response.body", "body": piece, "more_body": more}
