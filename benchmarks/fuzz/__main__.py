"""`make fuzz`: every door for its share of the minutes.

    python -m benchmarks.fuzz --minutes 10 --seed 1

What broke is written to a file, with the seed. The exit code says whether anything did.
"""

import asyncio
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from benchmarks.fuzz.target import Broken
from benchmarks.fuzz.targets import TARGETS


@click.command()
@click.option("--minutes", default=10.0, show_default=True, help="For all targets together.")
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--only", type=click.Choice(list(TARGETS)), multiple=True, help="These targets; all if none."
)
def main(minutes: float, seed: int, only: tuple[str, ...]) -> None:
    """Throws mutated input at the doors until the time is over."""
    names = only or tuple(TARGETS)
    broken = [
        name for name in names if not asyncio.run(_fuzz(name, seed, 60 * minutes / len(names)))
    ]
    raise SystemExit(1 if broken else 0)


async def _fuzz(name: str, seed: int, seconds: float) -> bool:
    """Whether nothing broke."""
    dice = Random(f"{name} {seed}")
    end = time.monotonic() + seconds
    cases = 0
    with TemporaryDirectory() as folder:
        async with TARGETS[name](Path(folder)) as throw:
            while time.monotonic() < end:
                try:
                    await throw(dice)
                except Broken as error:
                    where = _keep(f"fuzz-{name}-{seed}-{cases}", error.case)
                    click.echo(f"{name}: case {cases} of seed {seed}: {error}; it is in {where}.")
                    return False
                cases += 1
    click.echo(f"{name}: {cases:,} cases of seed {seed}, each answered as it should be.")
    return True


def _keep(name: str, case: bytes) -> Path:
    path = Path("build") / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(case)
    return path


if __name__ == "__main__":
    main()
