"""Lines of the log that were dropped, for whoever scrapes: this process serves nothing itself."""

import asyncio
import contextlib
from pathlib import Path
from typing import NoReturn

from lookalike.logs import lost_lines_file
from lookalike.processes.sink import LogSink

_LOOK_SECONDS = 5.0


async def note(sink: LogSink, home: Path) -> NoReturn:
    """Keeps how many lines this run has lost in a file, from which the bot tells it.

    The file goes with the run: who starts the bot otherwise loses lines of which nobody knows.
    """
    path, noted = lost_lines_file(home), -1
    try:
        while True:
            if sink.lost != noted:
                with contextlib.suppress(OSError):  # the disk may be what loses them
                    path.write_text(f"{sink.lost}\n", encoding="ascii")
                    noted = sink.lost
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()
