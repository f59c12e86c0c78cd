"""Kills between any two calls and cut answers, as in the tests but as many as it takes.

    python -m benchmarks.soak.chaos --faults 300 --seed 1

A dozen of them in a run, each run with a seed of its own and with new parts. The exit code says
whether nothing was lost or doubled and no orphan is left.
"""

import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import pytest

from tests.bot.chaos import Account, Chaos, hurry
from tests.bot.desk import open_desk

_IN_A_RUN = 12


@click.command(help=__doc__)
@click.option("--faults", default=300, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the first run; they count up.")
def main(faults: int, seed: int) -> None:
    """Runs them one after the other."""
    logging.disable()  # of every task that was killed, and every answer that was cut
    photos = lost = doubled = orphans = 0
    runs = -(-faults // _IN_A_RUN)
    with pytest.MonkeyPatch.context() as patch:
        hurry(patch)
        for number in range(seed, seed + runs):
            account = asyncio.run(_run(number))
            photos += account.photos
            lost, doubled = lost + account.lost, doubled + account.doubled
            orphans += account.orphans
            if account.lost or account.doubled or account.orphans:
                click.echo(f"seed {number}: {account}")
    click.echo(
        f"{runs * _IN_A_RUN} kills and cuts, {photos} photos, seeds {seed} to {seed + runs - 1}:"
        f" {lost} lost, {doubled} doubled, {orphans} orphans."
    )
    raise SystemExit(1 if lost or doubled or orphans else 0)


async def _run(seed: int) -> Account:
    with TemporaryDirectory() as folder:
        async with open_desk(Path(folder)) as desk:
            return await Chaos(desk, seed).run(_IN_A_RUN)


if __name__ == "__main__":
    main()
