"""Fetches art and names from the npm registry, by its ordinary client."""

import logging
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from training.concepts import concepts, hexcodes

ART: Final = "@lobehub/fluent-emoji-3d@1.1.0"
"""Microsoft's Fluent emoji, 3D style, as 256 x 256 WebP (MIT)."""

NAMES: Final = "emojibase-data@17.0.0"
"""The emoji's names (MIT)."""

WORK: Final = Path("build/training")
"""Where training keeps what it fetches and what it makes."""

_log = logging.getLogger(__name__)


def fetch(work: Path) -> None:
    """Brings both packages into a folder, once."""
    for package in (ART, NAMES):
        folder = _folder(work, package)
        if folder.exists():
            continue
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit("npm is missing; it fetches the art. Debian: apt-get install npm")
        packed = work / "packed"
        shutil.rmtree(packed, ignore_errors=True)
        packed.mkdir(parents=True)
        _log.info("Fetching %s.", package)
        subprocess.run([npm, "pack", "--silent", package], cwd=packed, check=True)  # noqa: S603, a constant
        unpacked = folder.with_suffix(".new")
        shutil.rmtree(unpacked, ignore_errors=True)
        with tarfile.open(next(packed.glob("*.tgz"))) as archive:
            archive.extractall(unpacked, filter="data")
        unpacked.rename(folder)
        shutil.rmtree(packed)


def arts(work: Path) -> list[Path]:
    """The art of each concept, in order."""
    folder = _folder(work, ART) / "package" / "assets"
    codes = hexcodes(_folder(work, NAMES) / "package")
    return [_art(folder, codes[concept.name]) for concept in concepts()]


def _art(folder: Path, code: str) -> Path:
    """An emoji's file: some names carry the mark that asks for colour (U+FE0F), and some do not."""
    bare = code.replace("-fe0f", "")
    files = (folder / f"{name}.webp" for name in (code, f"{code}-fe0f", bare))
    return next(file for file in files if file.exists())


def _folder(work: Path, package: str) -> Path:
    return work / package.rpartition("@")[0].replace("/", "-").lstrip("@")
