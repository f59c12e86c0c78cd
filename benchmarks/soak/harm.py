"""What is done to the services, and when."""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.soak.clock import JUMPS, Clock
from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.up import SERVICES, Up
from tests.sandbox.client import People

ROUND_SECONDS: Final = 120.0
"""In which each kind comes, in an order that the dice choose."""

_IN_A_ROUND: Final = {"kill": 2, "freeze": 3, "clock": 1, "cut": 3, "fault": 3}
"""How often each kind comes in a round; in the middle of it, the disk is full once.

So that is never twice in a minute, in which people are told once.
"""

_HANG_IN: Final = (5, 1)
"""In one round of five, from the second on, a service is held still for good."""

_METHODS = ("*", "sendMessage", "sendPhoto", "editMessageText", "deleteMessage", "getFile")
_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "too_many_requests", "retry_after": 2},
    {"kind": "http_error", "status": 502},
    {"kind": "delay", "seconds": 2.0},
)
_FREEZE_SECONDS: Final = (0.2, 2.0)
_FULL_SECONDS: Final = 4.0
_JUMP_SECONDS: Final = 8.0
_FAULT_SECONDS: Final = 10.0
"""A fault that has met nothing by then is given up."""

KINDS: Final = (*_IN_A_ROUND, "disk", "hang")


@dataclass(frozen=True)
class Harm:
    """Something that was done.

    Attributes:
        kind: one of `KINDS`.
        began: when, in seconds since the epoch.
        ended: when it was over: the service is well again, Telegram answers, there is room.
        count: how often; of cuts and faults the calls that they met.
    """

    kind: str
    began: float
    ended: float
    count: int = 1


class Harms:
    """Does one after the other.

    Attributes:
        done: what was done so far.
        left_out: kinds that cannot be had on this machine, with the reason.
    """

    def __init__(
        self,
        dice: random.Random,
        up: Up,
        people: People,
        disk: SmallDisk | None,
        clock: Clock,
        kinds: Sequence[str] = KINDS,
    ) -> None:
        """`kinds` are done; the others are left out, as is what cannot be done here."""
        self.done: list[Harm] = []
        self.left_out: dict[str, str] = {}
        self._dice = dice
        self._up = up
        self._people = people
        self._kills = self._hangs = 0
        self._kinds: dict[str, Callable[[], Awaitable[int]]] = {
            "kill": self._kill,
            "hang": self._hang,
            "freeze": self._freeze,
            "cut": lambda: self._fault({"kind": "cut"}),
            "clock": lambda: self._jump(clock),
            "fault": lambda: self._fault(dice.choice(_FAULTS)),
        }
        if disk is None:
            self.left_out["disk"] = "no disk may be mounted here"
        else:
            self._kinds["disk"] = lambda: self._fill(disk)
        for kind in KINDS:
            if kind not in kinds:
                self.left_out[kind] = "not asked for"
                self._kinds.pop(kind, None)

    async def go_on(self, over: Callable[[], bool], seconds: float) -> None:
        """Goes on until it is over, in rounds of so many seconds."""
        number = 0
        while not over():
            kinds = [kind for kind, count in _IN_A_ROUND.items() for _ in range(count)]
            if number % _HANG_IN[0] == _HANG_IN[1]:
                kinds.append("hang")
            self._dice.shuffle(kinds)
            kinds.insert(len(kinds) // 2, "disk")
            kinds = [kind for kind in kinds if kind in self._kinds]
            number += 1
            if not kinds:
                await asyncio.sleep(1)
            for kind in kinds:
                until = time.monotonic() + self._dice.uniform(0.8, 1.2) * seconds / len(kinds)
                if over():
                    return
                await self._do(kind)
                await asyncio.sleep(until - time.monotonic())

    async def _do(self, kind: str) -> None:
        began = time.time()
        count = await self._kinds[kind]()
        self.done.append(Harm(kind, began, time.time(), count))

    async def _kill(self) -> int:
        name = SERVICES[self._kills % len(SERVICES)]
        self._kills += 1
        killed = await self._up.signal(name, signal.SIGKILL)
        await self._up.well(name, instead_of=killed)
        return 1

    async def _hang(self) -> int:
        name = SERVICES[self._hangs % len(SERVICES)]
        self._hangs += 1
        frozen = await self._up.signal(name, signal.SIGSTOP)
        await self._up.well(name, instead_of=frozen)
        return 1

    async def _freeze(self) -> int:
        frozen = await self._up.signal(self._dice.choice(SERVICES), signal.SIGSTOP)
        await asyncio.sleep(self._dice.uniform(*_FREEZE_SECONDS))
        frozen.send_signal(signal.SIGCONT)
        return 1

    async def _fault(self, order: dict[str, Any]) -> int:
        method, most = self._dice.choice(_METHODS), self._dice.randint(1, 3)
        fault = await self._people.add_fault(**order, method=method, count=most)
        end = time.monotonic() + _FAULT_SECONDS
        while True:
            met = next(each["met"] for each in await self._people.faults() if each["id"] == fault)
            if met == most or time.monotonic() > end:
                await self._people.release(fault)
                return int(met)
            await asyncio.sleep(0.1)

    async def _fill(self, disk: SmallDisk) -> int:
        end = time.monotonic() + _FULL_SECONDS
        try:
            while time.monotonic() < end:
                await asyncio.to_thread(disk.fill)
                await asyncio.sleep(0.05)
        finally:
            disk.free()
        return 1

    async def _jump(self, clock: Clock) -> int:
        clock.set(self._dice.choice(JUMPS))
        await asyncio.sleep(_JUMP_SECONDS)
        clock.set()
        return 1
