"""Checks a database without changing it or getting in its owner's way."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError

from lookalike.checks import NTP, Finding, clock_note, failed, ok, size, warning
from lookalike.database import backend_of, create_engine
from lookalike.errors import StartError
from lookalike.sqlite import path_of

_SECONDS = 3.0
"""A read holds up the owner's commits, which wait 5 s before they fail (busy_timeout)."""

_WAL = b"\x02\x02"
"""Bytes 18 and 19 of a database in WAL mode (sqlite.org, Database File Format, 1.3)."""

_ASKED = """
SELECT
    current_setting('server_version') AS version,
    current_setting('max_connections') AS most,
    clock_timestamp() AS now,
    pg_is_in_recovery() AS is_standby,
    pg_database_size(current_database()) AS bytes,
    has_schema_privilege(current_schema(), 'CREATE') AS may_create,
    (
        SELECT count(*) FROM pg_tables, quote_ident(tablename) AS name
        WHERE schemaname = current_schema() AND NOT (
            has_table_privilege(name, 'SELECT') AND has_table_privilege(name, 'INSERT')
            AND has_table_privilege(name, 'UPDATE') AND has_table_privilege(name, 'DELETE')
        )
    ) AS closed,
    (
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'lookalike'
        AND pid <> pg_backend_pid()
    ) AS connections
"""

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
    """Whether a PostgreSQL database answers and lets us work, and who else does.

    Args:
        url: the database's.
        setting: the variable that names it.
    """
    try:
        engine = create_engine(url)
    except StartError as error:
        return failed("database", str(error), f"Correct {setting} or install the package.")
    name = backend_of(engine).named(engine)
    try:
        with engine.connect() as connection:
            found = connection.execute(text(_ASKED)).one()
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", error)).split()).rstrip(".")
        fix = f"Start the server, or correct {setting}."
        return failed("database", f"{name} cannot be used: {reason}.", fix, passes=True)
    finally:
        engine.dispose()
    return _about(name, found)


def count(url: str, statement: str, **values: float) -> int | None:
    """What a statement counts in a database that a service may be using; None: nobody knows."""
    try:
        if url.startswith("sqlite:"):
            with closing(_read_only(path_of(url))) as connection:
                return int(connection.execute(statement, values).fetchone()[0])
        engine = create_engine(url)
        try:
            with engine.connect() as rows:
                return int(rows.execute(text(statement), values).scalar_one())
        finally:
            engine.dispose()
    except (sqlite3.Error, SQLAlchemyError, OSError, StartError):
        return None


def _about(name: str, found: Row[Any]) -> Finding:
    if found.is_standby:
        fix = "Name the primary, or both with target_session_attrs=read-write: docs/running.md."
        return failed("database", f"{name} is a standby, which takes no writes.", fix, passes=True)
    if not found.may_create:
        fix = "As the database's owner: GRANT CREATE, USAGE ON SCHEMA public TO its user."
        return failed("database", f"{name} lets its user make no tables.", fix)
    if found.closed:
        fix = "As the database's owner: REASSIGN OWNED BY whoever made them TO its user."
        return failed("database", f"{name} keeps its user out of {found.closed} tables.", fix)
    told = f"{name} answers (PostgreSQL {found.version}, {size(found.bytes)})"
    if found.connections:
        told += f"; services use {found.connections} of {found.most} connections"
    if note := clock_note(found.now):
        return warning("database", f"{told}{note}.", NTP)
    return ok("database", f"{told}.")


def _integrity(path: Path) -> str | None:
    """What is wrong, or None."""
    with closing(_read_only(path)) as connection:
        deadline = time.monotonic() + _SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        (first,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    return None if first == "ok" else str(first).partition("\n")[0].rstrip(".")


def _read_only(path: Path) -> sqlite3.Connection:
    with path.open("rb") as file:
        in_wal_mode = file.read(20)[18:] == _WAL
    options = "mode=ro"
    if in_wal_mode and not path.with_name(f"{path.name}-wal").exists():
        # Nobody has it open, and opening it the usual way would make the files of the WAL.
        options += "&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, timeout=1)


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
