"""Who says what a photo shows: one captioner, chosen at start."""

import logging

from bot.captioners.base import Captioner
from lookalike.errors import StartError

_log = logging.getLogger(__name__)


class WeightsMissing(StartError):
    """The weights of the captioner are not on this machine, and can be fetched."""


def create(name: str, *, azure_endpoint: str | None, azure_key: str | None) -> Captioner:
    """The captioner of this name.

    Args:
        name: azure, blip or offline; auto takes azure if its key is set, then blip if its weights
            are on this machine, else offline.
        azure_endpoint: the address of the Azure AI Vision resource.
        azure_key: its key.

    Raises:
        StartError: what this captioner needs is not set or not installed.
    """
    chosen = _choose(azure_key) if name == "auto" else name
    captioner = _make(chosen, azure_endpoint, azure_key)
    _log.info("Captions come from %s (CAPTIONER=%s).", captioner.name, name)
    return captioner


def _choose(azure_key: str | None) -> str:
    from bot.captioners import blip

    if azure_key:
        return "azure"
    return "blip" if blip.available() else "offline"


def _make(name: str, azure_endpoint: str | None, azure_key: str | None) -> Captioner:
    from bot.captioners import blip, offline
    from bot.captioners.azure import AzureCaptioner

    match name:
        case "azure":
            if not azure_endpoint or not azure_key:
                raise StartError(
                    "The azure captioner needs AZURE_VISION_ENDPOINT and AZURE_VISION_KEY."
                )
            return AzureCaptioner(azure_endpoint, azure_key)
        case "blip":
            if not blip.installed():
                raise StartError(
                    "The blip captioner needs its packages: pip install 'lookalike[blip]'."
                )
            if not blip.available():
                raise WeightsMissing(
                    f"The weights of the blip captioner, {blip.MODEL}, are not on this machine; "
                    "`lookalike download --captions` fetches them."
                )
            return blip.create()
        case "offline":
            if not offline.available():
                raise StartError(
                    "The offline captioner needs its packages: pip install 'lookalike[offline]'; "
                    "or set AZURE_VISION_ENDPOINT and AZURE_VISION_KEY."
                )
            return offline.create()
        case _:
            raise StartError(f"There is no captioner {name!r}: auto, azure, blip or offline.")
