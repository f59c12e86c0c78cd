"""The files of a model, read without PyTorch: whether they are whole, their size and licence."""

import json
import re
from collections.abc import Iterable, Iterator
from math import prod
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from safetensors import safe_open

INDEX = "model_index.json"
"""What a folder in diffusers layout says of itself."""

CARD = "README.md"
"""What people are told about a model, including its licence."""

_TEXTS = (".json", ".txt", ".model")
_WEIGHTS = re.compile(r"(?:model|diffusion_pytorch_model)(\.fp16)?(?:-\d+-of-\d+)?\.safetensors")

_LICENCE = re.compile(r"^license(?:_name)?:\s*(\S+)\s*$|^\| licence \| ([^,|]+)", re.MULTILINE)
"""In a model card: the hub's metadata, or a row of our own cards."""

OPENRAIL = "CreativeML OpenRAIL-M"
OPENRAIL_PLUS = "CreativeML OpenRAIL++-M"

_NAMES = {
    "creativeml-openrail-m": OPENRAIL,
    "openrail++": OPENRAIL_PLUS,
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
}

_KNOWN = {"stable-diffusion-v1-5/stable-diffusion-v1-5": OPENRAIL}
"""Licences of models on the hub whose card is not beside them."""


def cached(repository: str) -> Path | None:
    """The folder of a model on the hub, if it is whole in the local cache; nobody is asked."""
    index = try_to_load_from_cache(repository, INDEX)
    if not isinstance(index, str) or problem(Path(index).parent) is not None:
        return None
    return Path(index).parent


def select(names: Iterable[str], wanted: Iterable[str], *, half: bool) -> list[str]:
    """Which of a repository's files are needed; see `variant`.

    Args:
        names: all of its files.
        wanted: the model's parts.
        half: whether the weights are in half precision in memory.
    """
    parts = set(wanted)
    weights: dict[bool, list[str]] = {True: [], False: []}
    others = []
    for name in names:
        part, _, file = name.rpartition("/")
        if (part in parts and file.endswith(_TEXTS)) or name in {INDEX, CARD}:
            others.append(name)
        elif part in parts and (match := _WEIGHTS.fullmatch(file)):
            weights[bool(match[1])].append(name)
    halves, plain = ({name.partition("/")[0] for name in weights[mark]} for mark in (True, False))
    marked = bool(halves) and (plain <= halves if half else not plain)
    return sorted([*others, *weights[marked]])


def parts(folder: Path) -> list[str]:
    """The folders that a model is made of."""
    return _parts(_index(folder))


def _parts(index: dict[str, Any]) -> list[str]:
    return [name for name, entry in index.items() if isinstance(entry, list) and entry[0]]


def problem(folder: Path) -> str | None:
    """Why a folder is no whole model in diffusers layout, as a clause; None: it is one."""
    try:
        index = _index(folder)
        kind = index["_class_name"]
    except (OSError, ValueError, KeyError, TypeError):
        return "the folder has no readable model_index.json, so it is not in diffusers layout"
    if kind != "StableDiffusionPipeline":
        return f"it is a {kind}, and only a StableDiffusionPipeline can be run"
    for part in (folder / name for name in _parts(index)):
        if not part.is_dir() or not any(part.iterdir()):
            return f"the folder lacks {part.name}"
        if (part / "config.json").is_file() and not any(part.glob("*.safetensors")):
            return f"{part.name} has no .safetensors weights (other formats are refused)"
    return None


def variant(folder: Path, *, half: bool) -> str | None:
    """Which of a part's files to take: those in half precision, or those without a mark.

    Args:
        folder: the model's.
        half: whether the weights are in half precision in memory.
    """
    files = list(_weights(folder.glob("*/*.safetensors")))
    halves = {file.parent for file, marked in files if marked}
    plain = {file.parent for file, marked in files if not marked}
    return "fp16" if halves and (plain <= halves if half else not plain) else None


def weights(folder: Path, *, half: bool) -> list[Path]:
    """The files that are loaded of a folder; see `variant`."""
    wanted = variant(folder, half=half) == "fp16"
    found = (file for part in parts(folder) for file in (folder / part).glob("*.safetensors"))
    return [file for file, marked in _weights(found) if marked == wanted]


def _weights(files: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """The files that a loader takes, and whether each is marked as in half precision.

    Others may lie beside them, as Stable Diffusion 1.5's weights without averaging do.
    """
    for file in files:
        if match := _WEIGHTS.fullmatch(file.name):
            yield file, bool(match[1])


def count_numbers(files: Iterable[Path]) -> int:
    """How many parameters the files hold. Only their headers are read.

    Raises:
        Exception: a file is broken; safetensors has its own type for that.
    """
    count = 0
    for path in files:
        with safe_open(path, "numpy") as file:
            count += sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118, no mapping
    return count


def licence(folder: Path, model: str) -> str:
    """The name of a model's licence, from its card or by its id; "" where neither is known."""
    try:
        match = _LICENCE.search((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        match = None
    if match is None:
        return known_licence(model)
    return name_licence((match[1] or match[2]).strip())


def known_licence(repository: str) -> str:
    """The name of the licence of a model on the hub; "" where it is not known here."""
    return _KNOWN.get(repository, "")


def name_licence(identifier: str) -> str:
    """What people call a licence, given the hub's identifier."""
    return _NAMES.get(identifier, identifier)


def _index(folder: Path) -> dict[str, Any]:
    """What a folder in diffusers layout says of itself."""
    index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    return index
