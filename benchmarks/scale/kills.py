"""Kills one of several again and again while photos come.

    python -m benchmarks.scale.kills --kills 100 --seed 1

Two dbservices, two generators and two bots behind one address, on PostgreSQL and S3; what the
generators paint is computed by two replicas in Ray, on a node each, with a tiny model. What is
killed is started again a moment later, replicas and proxies by Ray; PostgreSQL crashes and
recovers; a bot is held still for longer than its leases last, and ends. Jobs have ten attempts
instead of three, since here one is lost every few seconds. Afterwards every photo has its picture,
one of it. The exit code says whether that holds. Ray has to be installed, by `make test-scale`.
"""

import asyncio
import random
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

import click
import psycopg

from benchmarks.scale.fleet import SERVICE_TOKEN, Fleet
from benchmarks.scale.harms import OF_EACH, Harms, table
from benchmarks.soak.book import Book
from benchmarks.soak.people import use
from benchmarks.soak.verdict import Verdict, recorded, settled
from tests import postgresql, s3
from tests.balancer import balancing
from tests.generator import tiny
from tests.generator.ray.cluster import Cluster
from tests.sandbox.client import People

_USERS: Final = 3
_SETTINGS: Final = {
    "BOT_ACCESS": "everyone",
    "BOT_POLL_SECONDS": "0.5",
    "CAPTIONER": "offline",
    "GENERATOR_EXECUTOR": "ray",
    "GENERATOR_MAX_ATTEMPTS": "10",
    "GENERATOR_PRESET": "quick",
    "USER_MAX_UNFINISHED": "100",
}
_PAUSE_SECONDS: Final = (0.5, 4.0)


@click.command(help=__doc__)
@click.option("--kills", default=100, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="For logs; a new one if not.")
def main(kills: int, seed: int, folder: Path | None) -> None:
    """Kills, judges, prints the table of docs/reliability.md, and exits."""
    home = folder or Path(mkdtemp(prefix="kills-"))
    with ExitStack() as stack:
        store = s3.Server()
        stack.callback(store.stop)
        bucket = s3.S3(store, "photos")
        cluster = Cluster(tiny.save(home / "models" / "tiny"), SERVICE_TOKEN)
        stack.callback(cluster.stop)
        cluster.start()
        settings = {
            **_SETTINGS,
            **bucket.environment,
            "BLOB_URL": f"{bucket.url}/rows",
            "GENERATOR_RAY_URL": cluster.url,
            "GENERATOR_RESULTS_URL": f"{bucket.url}/jobs",
        }
        server = stack.enter_context(postgresql.running())
        fleet = stack.enter_context(Fleet.on(server, home, settings, generator="generator"))
        dice = random.Random(seed)
        harms = Harms(fleet, server, cluster, dice)
        wrong = asyncio.run(_run(kills, dice, fleet, harms))
        wrong += _given_up(fleet.environment["DATABASE_URL"])
    for complaint in wrong:
        print(complaint)
    print(f"This does not hold; logs are in {home}." if wrong else "All of it holds.")
    raise SystemExit(1 if wrong else 0)


async def _run(kills: int, dice: random.Random, fleet: Fleet, harms: Harms) -> list[str]:
    async with balancing() as balancer:
        for kind in ("sandbox", "dbservice", "generator"):
            await asyncio.to_thread(fleet.start, kind, 1 if kind == "sandbox" else OF_EACH)
        url = f"http://{balancer.address}"
        await asyncio.to_thread(partial(fleet.start, "bot", OF_EACH, BOT_PUBLIC_URL=url))
        balancer.backends = fleet.addresses["bot"]
        async with People(f"http://{fleet.addresses['sandbox'][0]}") as people:
            book = Book(people)
            verdict = await _harm_and_judge(kills, dice, harms, people, book)
            address = fleet.addresses["dbservice"][0]
            return verdict.complaints + await recorded(book, address, SERVICE_TOKEN)


async def _harm_and_judge(
    kills: int, dice: random.Random, harms: Harms, people: People, book: Book
) -> Verdict:
    over = asyncio.Event()
    chats = [await people.add_user(f"User {number}") for number in range(_USERS)]
    book.watched.update(chats)
    following = asyncio.create_task(book.follow())
    using = [asyncio.create_task(use(people, book, chat, dice, over.is_set)) for chat in chats]
    await harms.go_on(kills, _PAUSE_SECONDS)
    over.set()
    verdict = await settled(book)
    for task in (following, *using):
        task.cancel()
    await asyncio.gather(following, *using, return_exceptions=True)
    print("\n".join(table(harms.done, book.photos)))
    print(f"Bots that ended after they were held still: {len(harms.ended)} (by {harms.ended}).")
    counts = f"{len(book.photos)} photos: {len(verdict.lost)} lost, {len(verdict.doubled)} doubled"
    print(f"{counts}, {len(verdict.orphans)} messages left over.")
    return verdict


def _given_up(database_url: str) -> list[str]:
    """Of what pictures were given up, and how often."""
    question = (
        "SELECT error_message, count(*) FROM generations WHERE error_code IS NOT NULL GROUP BY 1"
    )
    with psycopg.connect(database_url) as connection:
        return [f"{count} given up: {why}" for why, count in connection.execute(question)]


if __name__ == "__main__":
    main()
