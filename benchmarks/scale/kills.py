"""Kills one of several again and again while photos come.

    python -m benchmarks.scale.kills --kills 100 --seed 1

Two dbservices, two generators and two bots behind one address, on PostgreSQL and S3. What is
killed is started again a moment later; PostgreSQL crashes and recovers; a bot is held still for
longer than its leases last, and goes on. Afterwards every photo has its picture, one of it. The
exit code says whether that holds.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import click

from benchmarks.scale.fleet import SERVICE_TOKEN, Fleet
from benchmarks.scale.simulated import PICTURE_SECONDS
from benchmarks.soak.book import Book
from benchmarks.soak.people import use
from benchmarks.soak.verdict import recorded, settled
from tests import postgresql, s3
from tests.balancer import balancing
from tests.sandbox.client import People

_OF_EACH: Final = 2
_USERS: Final = 8
_SETTINGS: Final = {
    "BOT_ACCESS": "everyone",
    "BOT_POLL_SECONDS": "0.5",
    "CAPTIONER": "offline",
    "USER_MAX_UNFINISHED": "100",
    PICTURE_SECONDS: "1",
}

_WEIGHTS: Final = {"bot": 30, "dbservice": 25, "generator": 25, "postgresql": 12, "freeze": 8}
"""How often each is done, in a hundred."""

_AWAY_SECONDS: Final = (0.1, 3.0)
_FROZEN_SECONDS: Final = (35.0, 45.0)  # longer than a lease of 30 s
_PAUSE_SECONDS: Final = (0.5, 4.0)


@click.command(help=__doc__)
@click.option("--kills", default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="For logs; a new one if not.")
def main(kills: int, seed: int, folder: Path | None) -> None:
    """Kills, judges, prints the table of docs/reliability.md, and exits."""
    home = folder or Path(mkdtemp(prefix="kills-"))
    store = s3.Server()
    try:
        bucket = s3.S3(store, "photos")
        where = {"BLOB_URL": f"{bucket.url}/rows", "GENERATOR_RESULTS_URL": f"{bucket.url}/jobs"}
        settings = _SETTINGS | bucket.environment | where
        with postgresql.running() as server, Fleet.on(server, home, settings) as fleet:
            wrong = asyncio.run(_run(kills, random.Random(seed), server, fleet))
    finally:
        store.stop()
    for complaint in wrong:
        print(complaint)
    print(f"This does not hold; logs are in {home}." if wrong else "All of it holds.")
    raise SystemExit(1 if wrong else 0)


async def _run(
    kills: int, dice: random.Random, server: postgresql.Server, fleet: Fleet
) -> list[str]:
    async with balancing() as balancer:
        for kind in ("sandbox", "dbservice", "generator"):
            await asyncio.to_thread(fleet.start, kind, 1 if kind == "sandbox" else _OF_EACH)
        url = f"http://{balancer.address}"
        await asyncio.to_thread(partial(fleet.start, "bot", _OF_EACH, BOT_PUBLIC_URL=url))
        balancer.backends = fleet.addresses["bot"]
        async with People(f"http://{fleet.addresses['sandbox'][0]}") as people:
            return await _harm_and_judge(kills, dice, server, fleet, people)


async def _harm_and_judge(
    kills: int, dice: random.Random, server: postgresql.Server, fleet: Fleet, people: People
) -> list[str]:
    over = asyncio.Event()
    book = Book(people)
    chats = [await people.add_user(f"User {number}") for number in range(_USERS)]
    book.watched.update(chats)
    following = asyncio.create_task(book.follow())
    using = [asyncio.create_task(use(people, book, chat, dice, over.is_set)) for chat in chats]
    done = await _harm(kills, dice, server, fleet)
    over.set()
    verdict = await settled(book)
    for task in (following, *using):
        task.cancel()
    await asyncio.gather(following, *using, return_exceptions=True)
    counts = f"{len(book.photos)} photos: {len(verdict.lost)} lost, {len(verdict.doubled)} doubled"
    print(", ".join(f"{kind} {count}" for kind, count in done.items()))
    print(f"{counts}, {len(verdict.orphans)} messages left over.")
    address = fleet.addresses["dbservice"][0]
    return verdict.complaints + await recorded(book, address, SERVICE_TOKEN)


async def _harm(
    kills: int, dice: random.Random, server: postgresql.Server, fleet: Fleet
) -> Counter[str]:
    """Does one after the other; says how many of each kind."""
    done: Counter[str] = Counter()
    kinds: Mapping[str, Callable[[], Awaitable[None]]] = {
        "bot": lambda: _kill(fleet, "bot", dice),
        "dbservice": lambda: _kill(fleet, "dbservice", dice),
        "generator": lambda: _kill(fleet, "generator", dice),
        "postgresql": lambda: _crash(server, dice),
        "freeze": lambda: _freeze(fleet, dice),
    }
    for _ in range(kills):
        (kind,) = dice.choices([*_WEIGHTS], [*_WEIGHTS.values()])
        await kinds[kind]()
        done[kind] += 1
        await asyncio.sleep(dice.uniform(*_PAUSE_SECONDS))
    return done


async def _kill(fleet: Fleet, kind: str, dice: random.Random) -> None:
    number = dice.randrange(_OF_EACH)
    fleet.kill(kind, number)
    await asyncio.sleep(dice.uniform(*_AWAY_SECONDS))
    await asyncio.to_thread(fleet.start_again, kind, number)


async def _freeze(fleet: Fleet, dice: random.Random) -> None:
    number = dice.randrange(_OF_EACH)
    fleet.freeze("bot", number)
    await asyncio.sleep(dice.uniform(*_FROZEN_SECONDS))
    fleet.thaw("bot", number)


async def _crash(server: postgresql.Server, dice: random.Random) -> None:
    await asyncio.to_thread(server.crash)
    await asyncio.sleep(dice.uniform(*_AWAY_SECONDS))
    await asyncio.to_thread(server.start)


if __name__ == "__main__":
    main()
