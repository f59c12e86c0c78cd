"""The doors, by name."""

from collections.abc import Mapping
from typing import Final

from benchmarks.fuzz import callbacks, images, updates, uploads, wire, xml
from benchmarks.fuzz.target import Target

TARGETS: Final[Mapping[str, Target]] = {
    "images": images.opened,
    "xml": xml.opened,
    "uploads": uploads.opened,
    "wire": wire.opened,
    "updates": updates.opened,
    "callbacks": callbacks.opened,
}
