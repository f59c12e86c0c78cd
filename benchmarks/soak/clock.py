"""The services' wall clock, which can be set; see `preloaded/sitecustomize.py`."""

from pathlib import Path
from typing import Final

JUMPS: Final = (-3600.0, 9 * 86400.0)
"""An hour back, nine days on, in seconds."""


class Clock:
    """The clock of each Python process that has the variables of `environment`.

    Attributes:
        environment: what a process needs to go by it.
    """

    def __init__(self, file: Path) -> None:
        """Shows the machine's time; `file` tells the processes by how much it differs."""
        self._file = file
        self.set()
        self.environment = {
            "PYTHONPATH": str(Path(__file__).with_name("preloaded")),
            "LOOKALIKE_SOAK_CLOCK": str(file),
        }

    def set(self, offset: float = 0.0) -> None:
        """Has it show another time than the machine's, by so many seconds."""
        new = self._file.with_suffix(".new")
        new.write_text(str(offset))
        new.replace(self._file)
