"""`make soak`: photos keep coming while all goes wrong that can.

    python -m benchmarks.soak --minutes 30 --seed 1

Afterwards every honest photo that was not refused in words has its picture, one of it, and nothing
else is left in their chats; each of them is still in their history; of a hundred captions 99 came
within 5 s; no process holds more than at first; no log has a traceback, and all stop cleanly.
Prometheus, if there is one here, has watched with the rules of `deploy/`, and has something to say
to each query of the dashboard. The exit code says whether that holds. What takes time to show, the
captions' 99th percentile, growth and what the dashboard shows of faults, counts in runs of ten
minutes and more.
"""

import asyncio
import random
import re
import shutil
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from tempfile import mkdtemp

import click

from benchmarks.soak import report
from benchmarks.soak.book import Book
from benchmarks.soak.clock import Clock
from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.gauges import Gauges, is_flat
from benchmarks.soak.harm import KINDS, ROUND_SECONDS, Harms
from benchmarks.soak.people import attack, use
from benchmarks.soak.up import SERVICES, Up, telegram
from benchmarks.soak.verdict import recorded, settled
from benchmarks.soak.watched import Watch, Watched, watching
from lookalike.tokens import service_token
from tests.sandbox.client import People
from tests.stack import free_port

_USERS = 5
_LONG_ENOUGH = 600.0
_SETTINGS = {
    "CAPTIONER": "offline",
    "BOT_DAILY_CAPTIONS": "100000",
    "USER_MAX_UNFINISHED": "100",
    "RETENTION_DAYS": "7",
}


@click.command(help=__doc__)
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--only", type=click.Choice(KINDS), multiple=True, help="Harm of these kinds alone.")
@click.option("--round", "turn", default=ROUND_SECONDS, show_default=True, help="Its seconds.")
@click.option("--folder", type=click.Path(path_type=Path), help="For logs; a new one if not.")
def main(
    minutes: float, seed: int, only: tuple[str, ...], turn: float, folder: Path | None
) -> None:
    """Runs a soak and exits."""
    place = folder or Path(mkdtemp(prefix="soak-"))
    wrong = asyncio.run(_run(60 * minutes, random.Random(seed), only or KINDS, turn, place))
    for complaint in wrong:
        print(complaint)
    print(f"This does not hold; logs and the home are in {place}." if wrong else "All of it holds.")
    raise SystemExit(1 if wrong else 0)


async def _run(
    seconds: float, dice: random.Random, kinds: tuple[str, ...], turn: float, folder: Path
) -> list[str]:
    """Starts everything, has it used and harmed, and stops it; gives what does not hold."""
    disk = SmallDisk.mount(folder / "disk")
    clock = Clock(folder / "clock")
    home = folder / "disk" / "home"
    metrics = f"127.0.0.1:{free_port()}"
    settings = _SETTINGS | {"DBSERVICE_METRICS_LISTEN": metrics}
    with telegram(folder / "telegram", settings) as sandbox:
        environment = sandbox.environment | clock.environment | {"LOOKALIKE_HOME": str(home)}
        addresses = {
            "bot": environment["BOT_LISTEN"],
            "dbservice": metrics,
            "generator": environment["GENERATOR_LISTEN"],
        }
        up = Up(folder, home, environment)
        try:
            async with People(sandbox.url("sandbox")) as people:
                await asyncio.gather(*(up.well(name) for name in SERVICES))
                harms = Harms(dice, up, people, disk, clock, kinds)
                with _watching(folder / "prometheus", addresses, service_token(home)) as watch:
                    wrong = await _soak(seconds, dice, turn, up, people, harms, watch)
                code = up.stop()
        finally:
            up.kill()
            if disk is not None:
                shutil.copytree(home, folder / "home", dirs_exist_ok=True)
    if code:
        wrong.append(f"`lookalike up` stopped with {code}")
    tracebacks = len(re.findall("Traceback", up.log.read_text(errors="replace")))
    if tracebacks:
        wrong.append(f"{up.log} has {tracebacks} tracebacks")
    return wrong


def _watching(
    folder: Path, addresses: dict[str, str], token: str
) -> AbstractContextManager[Watch | None]:
    if shutil.which("prometheus") is None:
        print("There is no prometheus here, so none watches.")
        return nullcontext()
    return watching(folder, addresses, token)


async def _soak(
    seconds: float,
    dice: random.Random,
    turn: float,
    up: Up,
    people: People,
    harms: Harms,
    watch: Watch | None,
) -> list[str]:
    """Has it used and harmed, and prints what came of that; gives what does not hold."""
    began = time.monotonic()

    def over() -> bool:
        return time.monotonic() - began > seconds

    book, gauges = Book(people), Gauges(up)
    chats = [await people.add_user(f"User {number}") for number in range(_USERS)]
    hostile = await people.add_user("Somebody else")
    book.watched.update(chats)
    following = asyncio.create_task(book.follow())
    using = [asyncio.create_task(use(people, book, chat, dice, over)) for chat in chats]
    attacks, *_ = await asyncio.gather(
        attack(people, hostile, dice, over), gauges.watch(over), harms.go_on(over, turn)
    )
    await people.clear_faults()
    verdict = await settled(book)
    for task in (following, *using):
        task.cancel()
    for result in await asyncio.gather(following, *using, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    token = service_token(Path(up.environment["LOOKALIKE_HOME"]))
    wrong = verdict.complaints + await recorded(book, up.environment["DBSERVICE_LISTEN"], token)
    refused = sum(each.refused for each in book.photos)
    print(
        f"{len(book.photos)} photos of {_USERS} people beside {attacks} attacks of another:"
        f" {len(verdict.lost)} lost, {len(verdict.doubled)} doubled,"
        f" {len(verdict.orphans)} orphans; {refused} refused in words while there was no room\n"
    )
    print(*report.of_harms(harms.done, harms.left_out, book.photos), "", sep="\n")
    print(*report.of_gauges(gauges.growth()), "", sep="\n")
    watched = None if watch is None else watch.look()
    if watched is not None:
        print(*report.of_watched(watched), "", sep="\n")
        wrong += [f"Prometheus cannot evaluate {rule}" for rule in watched.broken]
    if seconds >= _LONG_ENOUGH:
        wrong += _in_the_long_run(book, gauges, watched)
    return wrong


def _in_the_long_run(book: Book, gauges: Gauges, watched: Watched | None) -> list[str]:
    wrong = [
        f"{name} has grown"
        for name, (first, last) in gauges.growth().items()
        if not is_flat(first, last)
    ]
    p99 = report.percentile(report.waits(book.photos), 0.99)
    if p99 > report.P99_SECONDS:
        wrong.append(f"of a hundred captions 99 came within {p99:.1f} s")
    if watched is not None:
        wrong += [f"the panel {panel!r} of the dashboard is empty" for panel in watched.silent]
    return wrong


if __name__ == "__main__":
    main()
