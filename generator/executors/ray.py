"""Has pictures computed by replicas in Ray Serve, through its HTTP proxy; Ray is not imported.

A call is a request whose answer comes line by line, see `wire`. A connection that is closed ends
the computation within a step, whoever closes it and however: that is why it is HTTP and no handle
of Ray's. Until its turn has come a batch has not begun, and what goes wrong costs no attempt.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

import aiohttp

from generator.executors import wire
from generator.executors.wire import Answer, BeginLine, BegunLine, BrokenLine, NotUnderstood
from generator.observers import Observer
from generator.tasks import (
    BatchTimes,
    Cancelled,
    CancelToken,
    ComputerLost,
    ModelInfo,
    NotTaken,
    OnStep,
    Outcome,
    Step,
    Task,
)
from lookalike import tracing
from lookalike.errors import StartError
from lookalike.waiting import unless

_CONNECT_SECONDS = 5.0
_LOOK_SECONDS = 5.0
"""How long it may take to be told how many replicas there are."""

_PERIOD_SECONDS = 2.0
"""Between two such looks."""

_AWAY_SECONDS = 15.0
"""After so long without one that succeeds nothing is there: who tells may be on its way to another
machine."""

_MODEL_SECONDS = 60.0
"""How long it may take to be told the model, which replicas tell between two batches."""

_MEASURING_SECONDS = 600.0

_TURN_SECONDS = 900.0
"""How long a batch waits for its turn before it is given back."""

_MOST_BYTES = 64 * 1024
"""Of an answer to a look."""

_NOT_TAKEN = frozenset({404, 408, 429, 502, 503, 504})
"""There is no replica, or none with room; a proxy or a replica is being started or stopped."""


class Unauthorized(NotTaken):
    """The token is not the one that is expected there."""


@dataclass(eq=False)
class _Call:
    """A request.

    Attributes:
        lines: that are yet to be sent; None: there are no more.
        given_up: its answer is not waited for any longer.
        cancelled: that is why; else its turn does not come.
        begun: its turn has come.
    """

    lines: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: bool = False
    begun: bool = False

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self.cancelled = True
        self.given_up.set()

    async def body(self) -> AsyncGenerator[bytes]:
        """The request's body, which goes on while the answer comes."""
        while (line := await self.lines.get()) is not None:
            yield line


class RayExecutor:
    """An `Executor` that asks Ray Serve.

    Attributes:
        elsewhere: it does not compute here.
        lanes: as many batches at once as there are replicas.
        changed: see `Executor.changed`.
    """

    elsewhere = True

    def __init__(self, url: str, token: str, observers: Sequence[Observer] = ()) -> None:
        """Nothing is asked yet.

        Args:
            url: of Ray Serve's HTTP proxy, without a slash at its end.
            token: the deployment's.
            observers: are told when nothing is computed, and when it is again.
        """
        self.lanes = 0
        self.changed = asyncio.Event()
        self._capacity = 0
        self._url = url
        self._observers = observers
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
            auto_decompress=False,
        )
        self._model: ModelInfo | None = None
        self._other: ModelInfo | None = None
        self._free_bytes = 0
        self._told_away = False
        self._looked_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._waiting: set[_Call] = set()

    @property
    def capacity(self) -> int:
        """One more than there are replicas, so that autoscaling sees when another is wanted."""
        if self._other is not None:
            message = f"Ray Serve computes with {self._other.name}, which was loaded anew there."
            raise StartError(f"{message} The generator has to begin anew, too.", passing=True)
        return self._capacity

    async def load(self) -> ModelInfo:
        """Waits for a replica that tells its model; see `Executor.load`."""
        while self._model is None:
            try:
                await self.look()
                self._model = await self.ask_model()
            except Unauthorized as error:
                raise StartError(f"GENERATOR_RAY_URL cannot be used: {error}") from None
            except (NotTaken, ComputerLost) as error:
                self._go_away(str(error))
                await asyncio.sleep(_PERIOD_SECONDS)
        self._looking = asyncio.create_task(self._look_on())
        return self._model

    async def ask_model(self, seconds: float = _MODEL_SECONDS) -> ModelInfo:
        """What a replica has loaded.

        Raises:
            NotTaken: none is there, or none tells within that time.
            ComputerLost: it broke off.
        """
        lines = list[Answer]()
        try:
            async with asyncio.timeout(seconds):
                await self._call(_Call(), [], BeginLine(), lines.append)
        except TimeoutError:
            raise NotTaken("All replicas in Ray Serve are busy.") from None
        if lines and isinstance(lines[0], BegunLine):
            return lines[0].model
        raise ComputerLost("its answer has no end")

    async def look(self) -> int:
        """How many replicas there are.

        Raises:
            NotTaken: there is none, and none will be started by a call; or it is not told.
            ComputerLost: what answers has failed.
        """
        timeout = aiohttp.ClientTimeout(total=_LOOK_SECONDS)
        try:
            async with self._session.get(
                self._url + wire.REPLICAS_PATH, timeout=timeout, allow_redirects=False
            ) as answer:
                _check(answer)
                told = wire.read_replicas(await _whole(answer))
        except (aiohttp.ClientError, OSError, NotUnderstood) as error:
            raise NotTaken(f"{_reason(error)}.") from None
        self._looked_at = time.monotonic()
        if not (told.ready or told.running):
            raise NotTaken("Ray Serve has no replica yet.")
        self._set(told.running, told.running + 1)
        return told.running

    async def measure(self, sizes: Sequence[int], token: CancelToken) -> BatchTimes | None:
        """Finds out which batches pay on a replica; see `Executor.measure`."""
        call, times = _Call(), list[BatchTimes]()
        loop = asyncio.get_running_loop()
        token.listen(partial(loop.call_soon_threadsafe, call.cancel))

        def take(line: Answer) -> None:
            if isinstance(line, wire.MeasuredLine):
                times.append(line.times)

        begin = BeginLine(measure=list(sizes))
        try:
            async with asyncio.timeout(_MEASURING_SECONDS):
                await self._unless_given_up(call, [], begin, take)
        except TimeoutError:
            raise ComputerLost("measuring batches took too long") from None
        return times[0] if times else None

    async def free_memory(self) -> int:
        """Bytes that the replica had free which was the last to begin; it is not asked anew."""
        return self._free_bytes

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        """Has pictures computed together on a replica; see `Executor.run`."""
        call, outcomes = _Call(), dict[int, Outcome]()
        loop = asyncio.get_running_loop()

        def cancel(number: int) -> None:
            if all(token.cancelled for token in tokens):
                call.cancel()
            else:
                call.lines.put_nowait(wire.CancelLine(task=number).encode())

        for number, token in enumerate(tokens):
            token.listen(partial(loop.call_soon_threadsafe, cancel, number))

        def take(line: Answer) -> None:
            match line:
                case BegunLine():
                    on_step(Step(0, 0))
                case wire.StepLine() if line.task < len(tasks):
                    on_step(line.step)
                case wire.EndLine():
                    outcomes[line.task] = line.outcome

        await self._unless_given_up(call, tasks, BeginLine(), take)
        if call.cancelled:
            return [Cancelled() for _ in tasks]
        if outcomes.keys() != set(range(len(tasks))):
            raise ComputerLost("its answer has no end")
        return [outcomes[number] for number in range(len(tasks))]

    async def close(self) -> None:
        """Closes all connections; see `Executor.close`."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        await self._session.close()

    async def _unless_given_up(
        self,
        call: _Call,
        tasks: Sequence[Task],
        begin: BeginLine,
        take: Callable[[Answer], None],
    ) -> None:
        """Makes a call, see `_call`, unless it is cancelled, or its turn does not come."""
        try:
            ended = await unless(call.given_up, self._call(call, tasks, begin, take))
        except NotTaken as error:
            self._go_away(str(error))
            raise
        if not ended and not call.cancelled:
            raise NotTaken("Its turn does not come.")

    async def _call(
        self,
        call: _Call,
        tasks: Sequence[Task],
        begin: BeginLine,
        take: Callable[[Answer], None],
    ) -> None:
        """Makes a call; `take` gets its answer's lines.

        Raises:
            NotTaken: it has not begun, and will not.
            ComputerLost: it broke off.
        """
        for line in (*(wire.TaskLine.of(task) for task in tasks), begin):
            call.lines.put_nowait(line.encode())
        patience = asyncio.get_running_loop().call_later(_TURN_SECONDS, call.given_up.set)
        self._waiting.add(call)
        try:
            async with self._session.post(
                self._url + wire.CALLS_PATH,
                data=call.body(),
                headers={"Content-Type": wire.MEDIA_TYPE, **dict(tracing.current.get().headers)},
                allow_redirects=False,
            ) as answer:
                try:
                    await self._read(call, answer, take, patience)
                finally:
                    answer.close()
        except (aiohttp.ClientError, OSError, NotUnderstood) as error:
            if call.begun:
                raise ComputerLost(_reason(error)) from None
            raise NotTaken(f"{_reason(error)}.") from None
        finally:
            patience.cancel()
            self._waiting.discard(call)
            call.lines.put_nowait(None)

    async def _read(
        self,
        call: _Call,
        answer: aiohttp.ClientResponse,
        take: Callable[[Answer], None],
        patience: asyncio.TimerHandle,
    ) -> None:
        _check(answer)
        splitter = wire.Splitter()
        async for piece in answer.content.iter_any():
            for line in map(wire.read_answer, splitter.split(piece)):
                match line:
                    case BrokenLine():
                        raise ComputerLost(f"a replica failed: {line.error}; its log says more")
                    case BegunLine():
                        patience.cancel()
                        self._waiting.discard(call)
                        self._note(line)
                        call.begun = True
                take(line)

    def _note(self, begun: BegunLine) -> None:
        """Takes in what a replica says of itself."""
        if self._model is not None and begun.model != self._model:
            self._other = begun.model
            raise NotTaken(f"Ray Serve computes with {begun.model.name} by now.")
        self._free_bytes = begun.free_bytes
        if self._told_away:
            self._told_away = False
            for observer in self._observers:
                observer.executor_back()

    async def _look_on(self) -> None:
        """Keeps itself told how many replicas there are."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            try:
                await self.look()
            except (NotTaken, ComputerLost) as error:
                if time.monotonic() - self._looked_at > _AWAY_SECONDS:
                    self._go_away(str(error))

    def _go_away(self, reason: str) -> None:
        """Nothing is taken for now; those who wait for their turn are given up."""
        self._set(0, 0)
        for call in self._waiting:
            call.given_up.set()
        if not self._told_away:
            self._told_away = True
            for observer in self._observers:
                observer.executor_away(reason)

    def _set(self, lanes: int, capacity: int) -> None:
        if (lanes, capacity) != (self.lanes, self._capacity):
            self.lanes, self._capacity = lanes, capacity
            self.changed.set()
            self.changed = asyncio.Event()


def _check(answer: aiohttp.ClientResponse) -> None:
    """Raises what an answer means that is not the one that was asked for."""
    if answer.status in {401, 403}:
        raise Unauthorized("Ray Serve does not take our SERVICE_TOKEN.")
    if answer.status in _NOT_TAKEN:
        raise NotTaken(f"Ray Serve answers with {answer.status}.")
    if answer.status != HTTPStatus.OK:
        raise ComputerLost(f"Ray Serve answers with {answer.status}")


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > _MOST_BYTES:
            raise NotUnderstood("it is too long")
    return bytes(body)


def _reason(error: Exception) -> str:
    """Why, without what may quote what was sent."""
    if isinstance(error, NotUnderstood):
        return f"what answers at GENERATOR_RAY_URL is not understood ({error})"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"GENERATOR_RAY_URL cannot be reached: {error.strerror}"
    return f"the connection to Ray Serve broke off ({type(error).__name__})"
