"""What is killed of several of each, and what people wait for meanwhile."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from benchmarks.scale.fleet import Fleet
from benchmarks.soak.book import Waiting
from benchmarks.soak.harm import Harm
from benchmarks.soak.report import meanwhile, row
from tests.generator.ray.cluster import Cluster
from tests.postgresql import Server

OF_EACH: Final = 2

_WEIGHTS: Final = {
    "a bot": 22,
    "a dbservice": 20,
    "a generator": 20,
    "PostgreSQL": 12,
    "a replica in Ray": 8,
    "a node of Ray": 6,
    "Ray's proxy": 4,
    "a bot, held still for 35 to 45 s": 8,
}
"""How often each comes, in a hundred."""

_AWAY_SECONDS: Final = (0.1, 3.0)
_FROZEN_SECONDS: Final = (35.0, 45.0)  # longer than a lease of 30 s
_NOTICING_SECONDS: Final = 10.0
_PROXY_SECONDS: Final = 60.0


class Harms:
    """Does one after the other, as the dice fall.

    Attributes:
        done: what was done so far.
        ended: exit codes of bots that ended by themselves, having been held still.
    """

    def __init__(self, fleet: Fleet, server: Server, cluster: Cluster, dice: random.Random) -> None:
        """Of each service of the fleet there are `OF_EACH`."""
        self.done: list[Harm] = []
        self.ended: list[int] = []
        self._fleet = fleet
        self._server = server
        self._cluster = cluster
        self._dice = dice
        self._kinds: Mapping[str, Callable[[], Awaitable[None]]] = {
            "a bot": lambda: self._kill("bot"),
            "a dbservice": lambda: self._kill("dbservice"),
            "a generator": lambda: self._kill("generator"),
            "PostgreSQL": self._crash,
            "a replica in Ray": self._kill_replica,
            "a node of Ray": self._kill_node,
            "Ray's proxy": self._kill_proxy,
            "a bot, held still for 35 to 45 s": self._freeze,
        }

    async def go_on(self, count: int, pause_seconds: tuple[float, float]) -> None:
        """Does so many, with pauses of that many seconds between them."""
        for _ in range(count):
            await self._start_what_ended()
            (kind,) = self._dice.choices([*_WEIGHTS], [*_WEIGHTS.values()])
            began = time.time()
            await self._kinds[kind]()
            self.done.append(Harm(kind, began, time.time()))
            await asyncio.sleep(self._dice.uniform(*pause_seconds))
        await self._start_what_ended()

    async def _start_what_ended(self) -> None:
        """As a supervisor would."""
        for number in range(OF_EACH):
            code = self._fleet.exit_code("bot", number)
            if code is not None:
                self.ended.append(code)
                await asyncio.to_thread(self._fleet.start_again, "bot", number)

    async def _kill(self, kind: str) -> None:
        number = self._dice.randrange(OF_EACH)
        self._fleet.kill(kind, number)
        await self._away()
        await asyncio.to_thread(self._fleet.start_again, kind, number)

    async def _crash(self) -> None:
        await asyncio.to_thread(self._server.crash)
        await self._away()
        await asyncio.to_thread(self._server.start)

    async def _freeze(self) -> None:
        """Until it has noticed, and ended, or gone on."""
        number = self._dice.randrange(OF_EACH)
        self._fleet.freeze("bot", number)
        await asyncio.sleep(self._dice.uniform(*_FROZEN_SECONDS))
        self._fleet.thaw("bot", number)
        await asyncio.sleep(_NOTICING_SECONDS)

    async def _kill_replica(self) -> None:
        """Ray starts another."""
        replicas = await asyncio.to_thread(self._cluster.replicas)
        if replicas:
            self._dice.choice(replicas).kill()

    async def _kill_node(self) -> None:
        await asyncio.to_thread(self._cluster.kill_the_second_node)
        await self._away()
        await asyncio.to_thread(self._cluster.start_the_second_node)

    async def _kill_proxy(self) -> None:
        """Ray starts another."""
        end = time.monotonic() + _PROXY_SECONDS
        while not (proxies := await asyncio.to_thread(self._cluster.proxies)):
            if time.monotonic() > end:
                raise TimeoutError("Ray starts no proxy.")
            await asyncio.sleep(1)
        proxies[0].kill()

    async def _away(self) -> None:
        await asyncio.sleep(self._dice.uniform(*_AWAY_SECONDS))


def table(harms: Sequence[Harm], photos: Sequence[Waiting]) -> list[str]:
    """A row for each kind: how often, and the captions that somebody waited for meanwhile."""
    rows = [
        "| what is killed | times | captions | median | 99 of 100 | longest |",
        "|---|---|---|---|---|---|",
    ]
    for kind in _WEIGHTS:
        done = [harm for harm in harms if harm.kind == kind]
        rows.append(row(kind, str(len(done)), meanwhile(done, photos)))
    calm = [each for each in photos if not meanwhile(harms, [each])]
    rows.append(row("nothing", "", calm))
    rows.append(row("all together", str(len(harms)), photos))
    return rows
