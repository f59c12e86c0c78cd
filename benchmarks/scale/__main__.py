"""Measures 1, 2 and 4 of each service on one PostgreSQL, with simulated model times.

    python -m benchmarks.scale --write

Three loads: whole lives of pictures in the dbservices alone, jobs in the generators' queue alone,
and people who send photos to bots. All of it is on one machine, so what is told besides is how
much processor each kind of service takes for a picture; that is what more machines divide.
"""

import asyncio
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click
from PIL import Image

from benchmarks import markdown
from benchmarks.machine import describe
from benchmarks.markdown import write_figures
from benchmarks.scale import chart, jobs, lives, people
from benchmarks.scale.fleet import Fleet
from benchmarks.scale.rows import Row, processor, table
from benchmarks.scale.simulated import PICTURE_SECONDS
from tests import postgresql
from tests.balancer import balancing
from tests.sandbox.client import People

_DOCS: Final = Path(__file__).parents[2] / "docs"
_PAGE: Final = _DOCS / "scaling.md"
_CHART: Final = _DOCS / "images" / "replicas.svg"

_REPLICAS: Final = (1, 2, 4)
_AT_ONCE: Final = 32
_SETTINGS: Final = {
    "BOT_ACCESS": "everyone",
    "CAPTIONER": "offline",
    "GENERATOR_PREVIEWS": "0",
    "USER_MAX_UNFINISHED": "1000",
}


@click.command(help=__doc__)
@click.option("--seconds", default=60.0, show_default=True, help="Of each load.")
@click.option("--picture", default=5.0, show_default=True, help="Seconds that a picture takes.")
@click.option("--write", is_flag=True, help="Write docs/scaling.md as well.")
def main(*, seconds: float, picture: float, write: bool) -> None:
    """Measures, and prints or writes what docs/scaling.md shows."""
    with postgresql.running() as server, TemporaryDirectory() as folder:
        home = Path(folder)
        whole = [_whole(server, home / f"whole-{n}", n, seconds, picture) for n in _REPLICAS]
        rows = [_lives(server, home / f"lives-{n}", n, seconds) for n in _REPLICAS]
        queue = [_jobs(server, home / f"jobs-{n}", n, seconds) for n in _REPLICAS]
        rows_in_file = _lives(None, home / "lives-in-file", 1, seconds)
        queue_in_file = _jobs(None, home / "jobs-in-file", 1, seconds)
    loads = {f"photos, pictures of {picture:g} s": whole, "dbservice alone": rows, "queue": queue}
    about = describe() | {"each load": f"{seconds:g} s"}
    del about["openvino-genai"]  # nothing is painted
    figures = "\n\n".join(
        (
            "\n".join(f"* {what}: {value}" for what, value in about.items()),
            table(("bots, dbservices and generators", "photos a second"), whole),
            table(("dbservices", "lives of pictures a second"), rows),
            table(("generators", "jobs a second"), queue),
            markdown.table(
                ("a second, with one of each", "SQLite", "PostgreSQL"),
                [
                    ("lives of pictures", *_rates(rows_in_file, rows[0])),
                    ("jobs", *_rates(queue_in_file, queue[0])),
                ],
            ),
        )
    )
    print(figures)
    if write:
        _CHART.write_text(chart.draw(loads), encoding="utf-8")
        link = f"![{chart.description(loads)}](images/{_CHART.name})"
        write_figures(_PAGE, f"{link}\n\n{figures}")


def _rates(*rows: Row) -> tuple[str, ...]:
    return tuple(f"{row.rate:.1f}" for row in rows)


def _lives(server: postgresql.Server | None, home: Path, count: int, seconds: float) -> Row:
    with Fleet.on(server, home, _SETTINGS) as fleet:
        fleet.start("dbservice", count)
        before = fleet.cpu()
        rate = asyncio.run(lives.measure(fleet.addresses["dbservice"], _AT_ONCE, seconds))
        return Row(count, rate, processor(before, fleet.cpu(), rate * seconds))


def _jobs(server: postgresql.Server | None, home: Path, count: int, seconds: float) -> Row:
    """Pictures take no time, so that it is the queue which is measured."""
    with Fleet.on(server, home, _SETTINGS | {PICTURE_SECONDS: "0"}) as fleet:
        fleet.start("generator", count)
        before = fleet.cpu()
        rate = asyncio.run(jobs.measure(fleet.addresses["generator"], _AT_ONCE, seconds))
        return Row(count, rate, processor(before, fleet.cpu(), rate * seconds))


def _whole(
    server: postgresql.Server, home: Path, count: int, seconds: float, picture: float
) -> Row:
    """At four fifths of what the generators could paint."""
    rate = 0.8 * count / picture
    with Fleet.on(server, home, _SETTINGS | {PICTURE_SECONDS: str(picture)}) as fleet:
        for kind in ("dbservice", "generator", "sandbox"):
            fleet.start(kind, 1 if kind == "sandbox" else count)
        return asyncio.run(_send(fleet, count, rate, round(rate * seconds)))


async def _send(fleet: Fleet, bots: int, rate: float, photos: int) -> Row:
    async with balancing() as balancer, People(f"http://{fleet.addresses['sandbox'][0]}") as sender:
        url = f"http://{balancer.address}"
        await asyncio.to_thread(fleet.start, "bot", bots, BOT_PUBLIC_URL=url)
        balancer.backends = fleet.addresses["bot"]
        chats = [await sender.add_user(f"User {number}") for number in range(photos)]
        before = fleet.cpu()
        waits = await people.send(sender, _photo(), chats, rate)
        spent = processor(before, fleet.cpu(), len(waits.pictures))
        return Row(bots, waits.pictures_a_second, spent, waits.captions, waits.pictures)


def _photo() -> bytes:
    file = BytesIO()
    Image.linear_gradient("L").resize((1280, 960)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


if __name__ == "__main__":
    main()
