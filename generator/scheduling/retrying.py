"""Repeats writes that must not be lost until the disk takes them."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from generator.observers import Observer
from generator.scheduling.progress import Progress
from lookalike.waiting import any_of

_T = TypeVar("_T")


class Retrying:
    """Tries to write until it works."""

    def __init__(
        self,
        progress: Progress,
        observers: Sequence[Observer],
        pause_seconds: float = 5.0,
    ) -> None:
        """Nothing is written yet.

        Args:
            progress: is told while the disk is full.
            observers: are told when a write fails for the first time.
            pause_seconds: between two tries.
        """
        self._progress = progress
        self._observers = observers
        self._pause_seconds = pause_seconds
        self._full: set[object] = set()  # the writes for which there is no room

    async def write(self, write: Callable[[], Awaitable[_T]], stop: asyncio.Event) -> _T | None:
        """Calls a function that writes until it raises no OSError.

        Returns:
            What it returned; None: stopped before.
        """
        told, this = False, object()
        try:
            while True:
                try:
                    return await write()
                except OSError as error:
                    self._note(this, full=error.errno in {errno.ENOSPC, errno.EDQUOT})
                    if not told:
                        told = True
                        for observer in self._observers:
                            observer.storage_failed("write", error)
                if stop.is_set():
                    return None
                await any_of(stop, seconds=self._pause_seconds)
        finally:
            self._note(this, full=False)

    def _note(self, this: object, *, full: bool) -> None:
        (self._full.add if full else self._full.discard)(this)
        self._progress.disk_full = bool(self._full)
