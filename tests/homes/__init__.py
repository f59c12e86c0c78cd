"""Homes as released versions left them; every later one must go on with all that is in them."""

import shutil
import sqlite3
from pathlib import Path

_HERE = Path(__file__).parent

ALL = sorted(path for path in _HERE.iterdir() if path.is_dir() and path.name[0].isdigit())
"""Their folders, named by version."""


def databases(home: Path) -> list[Path]:
    """The databases of a home."""
    return sorted(home.rglob("*.db"))


def restore(kept: Path, home: Path) -> None:
    """Makes a home of what is kept of one: bytes as they are, databases as SQL."""
    shutil.copytree(kept, home, dirs_exist_ok=True)
    for dump in home.rglob("*.sql"):
        with sqlite3.connect(dump.with_suffix(".db")) as connection:
            connection.executescript(dump.read_text("utf-8"))
        connection.close()
        dump.unlink()


def keep(home: Path, kept: Path) -> None:
    """The other way round."""
    for path in home.rglob("*"):
        target = kept / path.relative_to(home)
        if path.suffix == ".db":
            with sqlite3.connect(path) as connection:
                lines = "\n".join(connection.iterdump())
            connection.close()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.with_suffix(".sql").write_text(f"{lines}\n", "utf-8")
        elif path.is_file() and path.suffix not in {".lock", ".ballast"} and path.stat().st_size:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
