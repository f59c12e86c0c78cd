"""Many small questions at once become few large ones."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice
from typing import Generic, TypeVar

from lookalike import tracing

_K = TypeVar("_K")
_V = TypeVar("_V")


class Batcher(Generic[_K, _V]):
    """Gathers the keys that are asked for in one turn of the event loop into one request.

    One request is under way at a time; what is asked for meanwhile waits for the next. So a service
    that hangs is asked once, however many wait for its answer.
    """

    def __init__(
        self, ask: Callable[[Sequence[_K]], Awaitable[Mapping[_K, _V]]], largest: int
    ) -> None:
        """`ask` makes a request for at most `largest` different keys."""
        self._ask = ask
        self._largest = largest
        self._asked: deque[tuple[_K, asyncio.Future[_V | None]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: _K) -> _V | None:
        """The answer for a key; None: the answer to the request does not mention it.

        Raises:
            Exception: whatever the request raised.
        """
        future: asyncio.Future[_V | None] = asyncio.get_running_loop().create_future()
        self._asked.append((key, future))
        if self._task is None:
            # A task runs in the next turn at the earliest, when all have asked. What it asks for
            # many belongs to the trace of none.
            with tracing.within(None):
                self._task = asyncio.create_task(self._answer())
        return await future

    async def _answer(self) -> None:
        try:
            while self._asked:
                await self._answer_some()
        finally:
            self._task = None

    async def _answer_some(self) -> None:
        some = list(islice(self._asked, self._largest))
        for _ in some:
            self._asked.popleft()
        waiting = [(key, future) for key, future in some if not future.done()]
        if not waiting:
            return
        try:
            answers = await self._ask(list(dict.fromkeys(key for key, _ in waiting)))
        except Exception as error:  # noqa: BLE001, it is theirs who asked
            for _, future in waiting:
                if not future.done():
                    future.set_exception(error)
        else:
            for key, future in waiting:
                if not future.done():
                    future.set_result(answers.get(key))
