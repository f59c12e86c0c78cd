"""What runs beside the tick: each has at most one task, which the tick begins again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)


class Beside:
    """Work that is safe to interrupt and to begin again."""

    def __init__(
        self,
        work: Callable[[], Awaitable[None]],
        is_called_for: Callable[[], bool] = lambda: True,
    ) -> None:
        """Nothing is begun.

        Args:
            work: goes as far as it gets.
            is_called_for: whether there may be something to do.
        """
        self._work = work
        self._is_called_for = is_called_for
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Goes on with it, unless that is under way, or nothing calls for it."""
        if self._is_called_for() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float = 0.0) -> None:
        """Lets it come to an end for so long, and leaves the rest to the next start."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            await self._work()
        except Exception:  # noqa: BLE001, the next tick begins it again
            _log.exception("What runs beside the tick has failed")
