"""Turns between users at what only a few may do at a time."""

from asyncio import Future, get_running_loop
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Turns:
    """So many places, of which one user gets a part; users who wait get one after the other.

    A user's own wait in order. Whoever had a place last comes last among those who wait, so that
    an album of ten holds up nobody by more than the places that it has.
    """

    def __init__(self, places: int, each: int) -> None:
        """Makes the places.

        Args:
            places: how many there are.
            each: how many of them one user may have.
        """
        self._free = places
        self._each = each
        self._having: Counter[int] = Counter()
        self._waiting: dict[int, deque[Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, user: int) -> AsyncGenerator[None, None]:
        """Waits for a place, and has it while the context lasts."""
        place = get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(place)
        self._give()
        try:
            await place
            yield
        finally:
            if place.done() and not place.cancelled():
                self._free += 1
                self._having -= Counter([user])  # which forgets whoever has none
            else:
                self._leave(user, place)
            self._give()

    def _give(self) -> None:
        """Gives free places to those who may have one, whoever waits longest first."""
        for user in tuple(self._waiting):
            if not self._free:
                return
            if self._having[user] < self._each:
                place = self._waiting[user][0]
                self._leave(user, place)
                if user in self._waiting:
                    self._waiting[user] = self._waiting.pop(user)  # to the end
                self._free -= 1
                self._having[user] += 1
                place.set_result(None)

    def _leave(self, user: int, place: "Future[None]") -> None:
        self._waiting[user].remove(place)
        if not self._waiting[user]:
            del self._waiting[user]
