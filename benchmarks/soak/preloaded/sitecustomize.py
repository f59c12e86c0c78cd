"""Python imports this before all else where its folder is in PYTHONPATH: the wall clock can be set.

All of a process's Python goes by it. Waits are not touched, as the kernel leaves them alone when a
machine's clock is set. (libfaketime 0.9.10 does touch them: with its clock, `time.sleep` fails and
gRPC's threads never rest.)
"""

import datetime as dt
import os
import time
from pathlib import Path
from typing import Self

_FILE = Path(os.environ["LOOKALIKE_SOAK_CLOCK"])
_real = time.time


def _time() -> float:
    """The machine's time and the offset in the file, which is read each time: it may change."""
    try:
        return _real() + float(_FILE.read_text())
    except (OSError, ValueError):  # it is being written
        return _real()


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        return cls.fromtimestamp(_time(), tz)


time.time = _time
dt.datetime = _Datetime  # type: ignore[misc]
