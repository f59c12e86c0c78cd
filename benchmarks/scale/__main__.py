"""Measures 1, 2 and 4 of each service on one PostgreSQL, with simulated model times.

    python -m benchmarks.scale

Three loads: whole lives of pictures in the dbservices alone, jobs in the generators' queue alone,
and people who send photos to bots. All of it is on one machine, so what is told besides is how
much processor each kind of service takes for a picture; that is what more machines divide.
"""

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from PIL import Image

from benchmarks.machine import describe
from benchmarks.scale import jobs, lives, people
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.people import Waits
from benchmarks.scale.simulated import PICTURE_SECONDS
from tests import postgresql
from tests.sandbox.client import People

_REPLICAS: Final = (1, 2, 4)
_AT_ONCE: Final = 32
_PAINTING_SECONDS: Final = 0.5
_SETTINGS: Final = {
    "BOT_ACCESS": "everyone",
    "BOT_POLL_SECONDS": "0.2",
    "CAPTIONER": "offline",
    "GENERATOR_PREVIEWS": "0",
    "USER_MAX_UNFINISHED": "1000",
}


@click.command(help=__doc__)
@click.option("--seconds", default=15.0, show_default=True, help="Of each load.")
def main(seconds: float) -> None:
    """Measures, and prints what docs/scaling.md shows."""
    for name, value in describe().items():
        print(f"{name}: {value}")
    print()
    with postgresql.running() as server, TemporaryDirectory() as folder:
        home = Path(folder)
        _print(
            ("dbservices", "lives a second", "processor for one"),
            [_lives(server, home / f"lives-{n}", n, seconds) for n in _REPLICAS],
        )
        for painting in (0.0, _PAINTING_SECONDS):
            _print(
                (f"generators, {painting} s a picture", "pictures a second", "processor for one"),
                [
                    _jobs(server, home / f"jobs-{painting}-{n}", n, seconds, painting)
                    for n in _REPLICAS
                ],
            )
        _print(
            ("of each", "photos a second", "caption", "picture", "pictures", "processor for one"),
            [_whole(server, home / f"whole-{n}", n, seconds) for n in _REPLICAS],
        )


def _lives(server: postgresql.Server, home: Path, count: int, seconds: float) -> Sequence[str]:
    with Fleet.on(server, home, _SETTINGS) as fleet:
        fleet.start("dbservice", count)
        before = fleet.cpu()
        rate = asyncio.run(lives.measure(fleet.addresses["dbservice"], _AT_ONCE, seconds))
        return str(count), f"{rate:.0f}", _per(before, fleet.cpu(), rate * seconds)


def _jobs(
    server: postgresql.Server, home: Path, count: int, seconds: float, painting: float
) -> Sequence[str]:
    with Fleet.on(server, home, _SETTINGS | {PICTURE_SECONDS: str(painting)}) as fleet:
        fleet.start("generator", count)
        before = fleet.cpu()
        rate = asyncio.run(jobs.measure(fleet.addresses["generator"], _AT_ONCE, seconds))
        return str(count), f"{rate:.1f}", _per(before, fleet.cpu(), rate * seconds)


def _whole(server: postgresql.Server, home: Path, count: int, seconds: float) -> Sequence[str]:
    """At four fifths of what the generators could paint."""
    rate = 0.8 * count / _PAINTING_SECONDS
    with Fleet.on(server, home, _SETTINGS | {PICTURE_SECONDS: str(_PAINTING_SECONDS)}) as fleet:
        for kind in ("dbservice", "generator", "sandbox"):
            fleet.start(kind, 1 if kind == "sandbox" else count)
        fleet.start("bot")
        before = fleet.cpu()
        waits = asyncio.run(_send(fleet.addresses["sandbox"][0], rate, round(rate * seconds)))
        return (
            str(count),
            f"{rate:.1f}",
            _percentiles(waits.captions),
            _percentiles(waits.pictures),
            f"{waits.pictures_a_second:.1f}",
            _per(before, fleet.cpu(), len(waits.pictures)),
        )


async def _send(sandbox: str, rate: float, count: int) -> Waits:
    async with People(f"http://{sandbox}") as sending:
        chats = [await sending.add_user(f"User {number}") for number in range(count)]
        return await people.send(sending, _photo(), chats, rate)


def _photo() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((1280, 960)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def _per(before: Mapping[str, float], after: Mapping[str, float], count: float) -> str:
    """Milliseconds of processor for one of so many."""
    used = {kind: 1000 * (seconds - before[kind]) / count for kind, seconds in after.items()}
    return ", ".join(f"{kind} {milliseconds:.0f} ms" for kind, milliseconds in used.items())


def _percentiles(seconds: Sequence[float]) -> str:
    """Of a hundred, the 50th, the 95th and the 99th, by what they waited."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return " / ".join(f"{cuts[number - 1]:.1f}" for number in (50, 95, 99)) + " s"


def _print(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    for row in (head, ["---"] * len(head), *rows):
        print("|", " | ".join(row), "|")
    print(flush=True)


if __name__ == "__main__":
    main()
