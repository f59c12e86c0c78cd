"""Checks a database without changing it or getting in its owner's way."""

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lookalike.checks import Finding, failed, ok, size, warning
from lookalike.database import backend_of, create_engine
from lookalike.errors import StartError

_SECONDS = 3.0
"""A read holds up the owner's commits, which wait 5 s before they fail (busy_timeout)."""

_WAL = b"\x02\x02"
"""Bytes 18 and 19 of a database in WAL mode (sqlite.org, Database File Format, 1.3)."""

_CLOCK_DIFFERENCE: Final = timedelta(seconds=5)
"""By more, what the log says and what the rows say is hard to compare."""

_RESTORE = "Stop the service, put the file aside and restore a backup."


def database(path: Path) -> Finding:
    """Whether SQLite finds the file intact (PRAGMA integrity_check). Blocks for up to 3 seconds."""
    if not path.exists():
        return ok("database", f"{path} is not there yet; the first start makes it.")
    try:
        problem = _integrity(path)
    except sqlite3.OperationalError as error:
        return _not_now(path, error)
    except (sqlite3.DatabaseError, OSError) as error:
        problem = str(error)
    if problem is not None:
        return failed("database", f"{path} is damaged: {problem}.", _RESTORE)
    return ok("database", f"{path} is whole ({size(path.stat().st_size)}).")


def server(url: str, setting: str) -> Finding:
    """Whether a PostgreSQL database answers, and lets us make tables in it.

    Args:
        url: the database's.
        setting: the variable that names it.
    """
    asked = text(
        "SELECT current_setting('server_version') AS version, clock_timestamp() AS now,"
        " pg_database_size(current_database()) AS bytes,"
        " has_schema_privilege(current_schema(), 'CREATE') AS may_create"
    )
    try:
        engine = create_engine(url)
    except StartError as error:
        return failed("database", str(error), f"Correct {setting} or install the package.")
    name = backend_of(engine).named(engine)
    try:
        with engine.connect() as connection:
            found = connection.execute(asked).one()
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", error)).split()).rstrip(".")
        fix = f"Start the server, or correct {setting}."
        return failed("database", f"{name} cannot be used: {reason}.", fix)
    finally:
        engine.dispose()
    if not found.may_create:
        fix = "As the database's owner: GRANT CREATE, USAGE ON SCHEMA public TO its user."
        return failed("database", f"{name} lets its user make no tables.", fix)
    told = f"{name} answers (PostgreSQL {found.version}, {size(found.bytes)})"
    apart = abs(found.now - datetime.now(UTC))
    if apart > _CLOCK_DIFFERENCE:
        told += f", but its clock is {apart.total_seconds():.0f} s off ours"
        return warning("database", f"{told}.", "Have both machines set their clocks by NTP.")
    return ok("database", f"{told}.")


def _integrity(path: Path) -> str | None:
    """What is wrong, or None."""
    with path.open("rb") as file:
        in_wal_mode = file.read(20)[18:] == _WAL
    options = "mode=ro"
    if in_wal_mode and not path.with_name(f"{path.name}-wal").exists():
        # Nobody has it open, and opening it the usual way would make the files of the WAL.
        options += "&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=1)
    try:
        deadline = time.monotonic() + _SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        (first,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    finally:
        connection.close()
    return None if first == "ok" else str(first).partition("\n")[0].rstrip(".")


def _not_now(path: Path, error: sqlite3.OperationalError) -> Finding:
    journal = path.with_name(f"{path.name}-journal")
    if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
        return warning(
            "database",
            f"{path} ({size(path.stat().st_size)}) is too large to check within {_SECONDS:g} s; "
            "longer would hold up the service.",
            f"Stop the service and run: sqlite3 {path} 'PRAGMA integrity_check'",
        )
    if journal.exists() and journal.stat().st_size:
        return ok(
            "database",
            f"{path} is in the middle of a write; if the service was cut off there, its next start "
            "rolls that back.",
        )
    return failed(
        "database", f"{path} cannot be read: {error}.", "Correct the file's owner and permissions."
    )
