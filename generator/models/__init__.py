"""What is known about models: where to find one, and what results call it.

Importing this package costs nothing; `loading` brings PyTorch along.
"""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lookalike.errors import StartError

EMOJI = Path(__file__).parent / "emoji"
"""The small model in the package, in diffusers layout."""

SD15 = Path(__file__).parent / "sd15"
"""Stable Diffusion 1.5 without its weights: what a single file leaves out."""

_HUB_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}", re.ASCII)


class ModelFormat(Enum):
    """The forms in which a model comes."""

    FOLDER = "a folder in diffusers layout"
    FILE = "a single .safetensors file"
    HUB = "a repository on the Hugging Face hub"


@dataclass(frozen=True)
class Source:
    """Where a model is found.

    Attributes:
        format: the form in which it comes.
        location: a path, or an id on the hub.
        name: how results call the model.
    """

    format: ModelFormat
    location: str
    name: str


def find(model: str) -> Source:
    """Finds out what `GENERATOR_MODEL` names; nothing is read or downloaded yet.

    Args:
        model: `emoji`, a folder, a single .safetensors file, or an id on the hub.

    Raises:
        StartError: it names none of these.
    """
    if model == "emoji":
        return Source(ModelFormat.FOLDER, str(EMOJI), model)
    path = Path(model).expanduser()
    if path.is_dir():
        return Source(ModelFormat.FOLDER, str(path), path.resolve().name)
    if path.is_file():
        if path.suffix != ".safetensors":
            raise StartError(
                f"GENERATOR_MODEL {model} is no .safetensors file; other formats can run code"
                " when they are read, so they are refused."
            )
        return Source(ModelFormat.FILE, str(path), path.stem)
    if is_hub_id(model):
        return Source(ModelFormat.HUB, model, path.name)
    raise StartError(
        f"GENERATOR_MODEL {model}: there is no such file or folder; name one, or an id on the"
        " Hugging Face hub (owner/name), or emoji for the small model in the package."
    )


def is_hub_id(name: str) -> bool:
    """Whether a name looks like an id on the hub: owner/name."""
    return not name.endswith(".safetensors") and _HUB_ID.fullmatch(name) is not None
