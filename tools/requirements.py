"""What an installation of a release consists of, at the versions of `constraints.txt`.

    python -m tools.requirements torch==2.13.0

The arguments are what is pinned elsewhere. It follows what the installed packages require, so it
runs where `make setup` was, and prints a line a package, of which the SBOM is made: without the
tools that only developers have.
"""

import sys
from collections.abc import Collection, Iterable
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

_PROJECT: Final = "lookalike"

NOT_RELEASED: Final = frozenset({"bench", "dev", "ray", "training"})
"""Extras for those who change it, and one that constraints.txt does not pin (docs/ray.md)."""


def extras() -> frozenset[str]:
    """The extras that users choose from."""
    return frozenset(metadata(_PROJECT).get_all("Provides-Extra") or ()) - NOT_RELEASED


def closure(name: str, extras: Collection[str]) -> set[NormalizedName]:
    """All that a package requires on this machine, directly or not, without itself.

    Args:
        name: the package.
        extras: of its, those that are wanted.

    Raises:
        PackageNotFoundError: something is not installed.
    """
    root = canonicalize_name(name)
    waiting = [(root, frozenset(extras))]
    seen = set(waiting)
    while waiting:
        package, wanted = waiting.pop()
        for requirement in map(Requirement, requires(package) or ()):
            if _applies(requirement, wanted):
                found = (canonicalize_name(requirement.name), frozenset(requirement.extras))
                if found not in seen:
                    seen.add(found)
                    waiting.append(found)
    return {package for package, _ in seen} - {root}


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    """Whether a requirement holds here, with these extras of whoever has it."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": each}) for each in ("", *extras))


def pinned(names: Iterable[NormalizedName], lines: Iterable[str]) -> list[str]:
    """The lines that pin these packages, in alphabetical order.

    Args:
        names: the packages.
        lines: of files of constraints; comments among them are passed over.

    Raises:
        KeyError: a package is not pinned.
    """
    pins = {
        canonicalize_name(Requirement(line).name): line
        for line in map(str.strip, lines)
        if line and not line.startswith("#")
    }
    return [pins[name] for name in sorted(names)]


def main(arguments: Iterable[str]) -> None:
    """Prints the lines, or ends with a sentence."""
    constraints = Path("constraints.txt").read_text(encoding="utf-8").splitlines()
    try:
        lines = pinned(closure(_PROJECT, extras()), [*constraints, *arguments])
    except PackageNotFoundError as error:
        sys.exit(f"{error.name} is not installed; `make setup` does that.")
    except KeyError as error:
        sys.exit(f"{error.args[0]} is not pinned; `make lock` does that.")
    print("\n".join(lines))  # noqa: T201, its output


if __name__ == "__main__":
    main(sys.argv[1:])
