"""How much of a disk is left to whom: the databases have the last of it.

A database that cannot write serves nobody: no lease, no cancelling, no telling. So photos and
pictures leave it some room, and before that nothing new is begun, so that what is under way ends.
"""

import shutil
from pathlib import Path
from typing import Final

RESERVE_BYTES: Final = 200_000_000
"""With less than this free, nothing new is begun."""

_SMALL_DISK_SHARE = 5
"""Of a small disk it is not more than this part of all."""

_FOR_DATABASES = 4
"""This part of the reserve is the databases' alone."""


def is_nearly_full(folder: Path) -> bool:
    """Whether nothing new should be begun with the disk that this folder is on.

    Raises:
        OSError: the folder is not there, or its disk is away.
    """
    return _is_below(folder, 1)


def is_full(folder: Path) -> bool:
    """Whether what is left is the databases'.

    Raises:
        OSError: likewise.
    """
    return _is_below(folder, _FOR_DATABASES)


def free_bytes(folder: Path) -> int:
    """How much is left.

    Raises:
        OSError: likewise.
    """
    return shutil.disk_usage(folder).free


def _is_below(folder: Path, part: int) -> bool:
    usage = shutil.disk_usage(folder)
    return usage.free < min(RESERVE_BYTES, usage.total // _SMALL_DISK_SHARE) // part
