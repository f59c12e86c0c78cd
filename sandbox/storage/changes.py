"""Waking those who wait for the state to change."""

import asyncio


class ChangeSignal:
    """Wakes everybody who waits, each time that something has changed.

    Take `next_change` before you look at what may have changed, and wait for it afterwards: a
    change in between is then not missed.
    """

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def notify(self) -> None:
        """Wakes everybody who waits now."""
        self._event.set()
        self._event = asyncio.Event()

    def next_change(self) -> asyncio.Event:
        """An event that the next change sets."""
        return self._event
