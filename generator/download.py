"""`python -m generator.download`: fetches a model, and what the preset fast needs, from the hub."""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from generator import models
from generator.models import ModelFormat, layout, lora
from generator.presets import FAST
from generator.settings import GeneratorSettings
from lookalike import hub
from lookalike.checks import size
from lookalike.errors import StartError
from lookalike.hub import Consent

_MOST_INDEX_BYTES = 1_000_000
_USES = (
    "It allows commercial use and forbids the uses in its attachment A; whoever lets others "
    "use the model passes these conditions on to them."
)
_CONDITIONS = {layout.OPENRAIL: _USES, layout.OPENRAIL_PLUS: _USES}


def _main(arguments: argparse.Namespace, consent: Consent) -> None:
    """Fetches what the command line and the settings name."""
    settings = GeneratorSettings.load()
    model = arguments.model or settings.generator_model
    _fetch_model(model, settings.generator_device, consent)
    if arguments.fast or settings.generator_preset == FAST:
        _fetch_lcm_lora(settings.generator_lcm_lora, consent)


def _terms(repository: str, licence: str) -> str:
    name = layout.name_licence(licence) or layout.known_licence(repository)
    if not name:
        return "one that the hub does not name; see its model card."
    return f"{name}. {_CONDITIONS.get(name, '')}".rstrip()


def _fetch_model(model: str, device: str, consent: Consent) -> None:
    if models.find(model).format is not ModelFormat.HUB:
        click.echo(f"{model} is on this machine already.")
        return
    from generator.engines import choice  # brings PyTorch along

    half = choice.takes_half(device)

    def choose(revision: str, sizes: Mapping[str, int]) -> Iterable[str]:
        if layout.INDEX not in sizes:
            raise StartError(f"{model} is no model in diffusers layout.")
        length = sizes[layout.INDEX]
        if length > _MOST_INDEX_BYTES:
            raise StartError(f"{model} has a {layout.INDEX} of {size(length)}.")
        index = hub.fetch_small(model, revision, layout.INDEX, length)
        return layout.select(sizes, layout.parts(index.parent), half=half)

    folder = layout.cached(model)
    if folder is not None and _are_whole(layout.weights(folder, half=half)):
        click.echo(f"{model} is on this machine already.")
        return
    if not hub.fetch(model, choose, lambda licence: _terms(model, licence), consent):
        return
    if layout.cached(model) is None:
        raise StartError(f"{model} is no whole Stable Diffusion model in safetensors.")
    click.echo(f"{model} is on this machine.")


def _fetch_lcm_lora(location: str, consent: Consent) -> None:
    """Fetches the weights that `GENERATOR_LCM_LORA` names."""

    def choose(_revision: str, sizes: Mapping[str, int]) -> Iterable[str]:
        if lora.FILE not in sizes:
            raise StartError(f"{location} has no {lora.FILE}.")
        return [name for name in (layout.CARD, lora.FILE) if name in sizes]

    found = lora.find(location)
    own = Path(location).expanduser().exists()  # then it does not come from the hub
    if found is not None and (own or _are_whole([found])):
        click.echo(f"{location} is on this machine already.")
        return
    if hub.fetch(location, choose, lambda licence: _terms(location, licence), consent):
        click.echo(f"{location} is on this machine.")


def _are_whole(weights: Iterable[Path]) -> bool:
    return hub.are_whole(weights, lambda path: layout.count_numbers([path]))


if __name__ == "__main__":
    parser = hub.parser()
    parser.add_argument("model", nargs="?", help="default: GENERATOR_MODEL")
    parser.add_argument("--fast", action="store_true", help="also what the preset fast needs")
    hub.run(parser, _main)
