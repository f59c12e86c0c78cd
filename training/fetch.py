"""Fetches art and names from the npm registry, with its ordinary client."""

import logging
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from training.art import FLUENT, NOTO, STYLES, Art
from training.concepts import entries, everything, reviewed
from training.profiles import Profile

ARTS: Final = {
    FLUENT: "@lobehub/fluent-emoji-3d@1.1.0",
    NOTO: "emoji-datasource-google@16.0.0",
}
"""Microsoft's Fluent emoji, 3D style, as 256x256 WebP (MIT), and Google's Noto emoji as 64x64 PNG
(Apache-2.0, in a package that is MIT)."""

NAMES: Final = "emojibase-data@17.0.0"
"""The emoji's names and keywords (MIT)."""

WORK: Final = Path("build/training")
"""The folder for what training fetches and makes."""

_FOLDERS: Final = {FLUENT: "assets", NOTO: "img/google/64"}
"""Where the packages keep their art."""

_log = logging.getLogger(__name__)


def fetch(work: Path) -> None:
    """Downloads and unpacks the packages that are not in the folder yet."""
    for package in (*ARTS.values(), NAMES):
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


def emojibase(work: Path) -> Path:
    """The package of names and keywords."""
    return _folder(work, NAMES) / "package"


def read(work: Path, profile: Profile) -> Art:
    """What a profile's model learns: the reviewed concepts, or all with a name and art."""
    concepts = reviewed()
    if profile.every_name:
        concepts = everything(
            emojibase(work), lambda code: all(_files(work, style, code) for style in STYLES)
        )
    codes = {entry["label"]: entry["hexcode"].lower() for entry in entries(emojibase(work))}
    files = {
        style: [_files(work, style, codes[concept.name])[0] for concept in concepts]
        for style in STYLES
    }
    return Art(files, concepts, profile.side)


def _files(work: Path, style: str, code: str) -> list[Path]:
    """An emoji's art; some file names have the variation selector U+FE0F, others do not."""
    folder = _folder(work, ARTS[style]) / "package" / _FOLDERS[style]
    names = (code, f"{code}-fe0f", code.replace("-fe0f", ""))
    files = (folder / f"{name}{ending}" for name in names for ending in (".webp", ".png"))
    return [file for file in files if file.exists()]


def _folder(work: Path, package: str) -> Path:
    return work / package.rpartition("@")[0].replace("/", "-").lstrip("@")
