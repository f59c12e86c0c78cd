"""What tests of RETENTION_DAYS need: a clock that is believed, and word of what went."""

import asyncio
import sqlite3
from datetime import datetime

from dbservice.observers import Observer, RetentionDone
from dbservice.settings import DbserviceSettings


class Retentions(Observer):
    """Keeps what was announced."""

    def __init__(self) -> None:
        self.done: asyncio.Queue[RetentionDone] = asyncio.Queue()

    def retention_done(self, retention: RetentionDone) -> None:
        self.done.put_nowait(retention)


def believe(settings: DbserviceSettings, now: datetime) -> None:
    """As if the clock had gone on evenly until now."""
    with sqlite3.connect(settings.database.removeprefix("sqlite:///")) as connection:
        seen = now.strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute("UPDATE wall_clock SET seen_at = ?, doubt_seconds = 0", (seen,))
    connection.close()
