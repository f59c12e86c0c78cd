"""`python -m bot.download`: fetches the weights of BLIP, which describes photos, from the hub."""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import click
from safetensors import safe_open

from bot.captioners import blip
from lookalike import hub
from lookalike.errors import StartError
from lookalike.hub import Consent


def _main(_arguments: argparse.Namespace, consent: Consent) -> None:
    weights = blip.weights()
    if weights is not None and hub.are_whole([weights], _check):
        click.echo(f"{blip.MODEL} is on this machine already.")
        return
    if not hub.fetch(blip.MODEL, _choose, _terms, consent):
        return
    if blip.weights() is None:
        raise StartError(f"{blip.MODEL} has not all files that the captioner blip needs.")
    click.echo(f"{blip.MODEL} is on this machine.")


def _check(weights: Path) -> None:
    if weights.suffix == ".safetensors":
        with safe_open(weights, "numpy"):
            pass  # it compares the file's length with what its beginning says


def _choose(_revision: str, sizes: Mapping[str, int]) -> Iterable[str]:
    weights = [name for name in blip.WEIGHTS if name in sizes]
    if not weights:
        raise StartError(f"{blip.MODEL} has no {' or '.join(blip.WEIGHTS)}.")
    return [*(name for name in blip.FILES if name in sizes), weights[0]]


def _terms(licence: str) -> str:
    if licence and licence != "bsd-3-clause":
        return f"{licence}; see its model card."
    return "BSD-3-Clause. It allows commercial use; copies keep its notice."


if __name__ == "__main__":
    hub.run(hub.parser(), _main)
