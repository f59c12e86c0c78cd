"""Python imports this before all else where its folder is in PYTHONPATH: the wall clock can be set.

All of a process's dates go by it. Waits are not touched, as the kernel leaves them alone when a
machine's clock is set; nor is `time.time`, since gRPC adds to it to get deadlines, which its C core
compares with the machine's clock. (libfaketime 0.9.10 does touch waits: with its clock,
`time.sleep` fails and gRPC's threads never rest.)
"""

import datetime as dt
import os
import time
from pathlib import Path
from typing import Self

_FILE = Path(os.environ["LOOKALIKE_SOAK_CLOCK"])


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """The machine's time and the offset in the file, which is read each time: it may change."""
        return cls.fromtimestamp(time.time() + float(_FILE.read_text()), tz)


dt.datetime = _Datetime  # type: ignore[misc]
