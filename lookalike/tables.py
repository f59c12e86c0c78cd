"""Copies all rows of some tables to another database, of whatever kind, and compares what came.

Both databases are read through their tables' types: what is equal here is equal to a service.
"""

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, delete, func, insert, select

from lookalike.database import backend_of

_BATCH: Final = 500
"""Rows in memory."""

_MODULUS: Final = 1 << 256

Row = Mapping[str, Any]


class DifferentError(Exception):
    """The rows of a table are not as they were; the message is its name."""


@dataclass
class Contents:
    """What a table holds, in whatever order it was read: databases sort text in ways of their own.

    Attributes:
        rows: how many.
        total: the SHA-256s of all rows, added up.
    """

    rows: int = field(default=0)
    total: int = field(default=0)

    def add(self, rows: Sequence[Row]) -> None:
        """Counts rows in."""
        for row in rows:
            text = json.dumps([*row.values()], default=str)
            digest = hashlib.sha256(text.encode()).digest()
            self.total = (self.total + int.from_bytes(digest)) % _MODULUS
        self.rows += len(rows)


async def copy(source: Connection, target: Connection, tables: Sequence[Table]) -> int:
    """Copies all rows of tables, in place of what is there, and reads them back.

    Lets the event loop go on after some rows, so that it can be stopped. Memory does not grow with
    the rows. Numbers that count up go on where they were. PostgreSQL has no NUL in a text: there it
    is left out.

    Args:
        source: in a transaction that sees all of it as of one moment.
        target: in one that is rolled back if this raises.
        tables: the same on both sides, after those that they refer to.

    Returns:
        How many rows there are.

    Raises:
        DifferentError: what was written is not what is read.
    """
    for table in reversed(tables):
        target.execute(delete(table))
    count = 0
    for table in tables:
        told = Contents()
        for rows in _batches(source, table):
            target.execute(insert(table), rows)
            told.add(rows)
            await asyncio.sleep(0)
        read_back = Contents()
        for rows in _batches(target, table):
            read_back.add(rows)
            await asyncio.sleep(0)
        if told != read_back or told.rows != _count(source, table):
            raise DifferentError(table.name)
        if (column := _counter(table)) is not None:
            last = backend_of(source.engine).last_number(source, column)
            backend_of(target.engine).go_on_from(target, column, last)
        count += told.rows
    return count


def _count(connection: Connection, table: Table) -> int:
    return connection.scalars(select(func.count()).select_from(table)).one()


def _batches(connection: Connection, table: Table) -> Iterator[list[Row]]:
    found = connection.execute(select(table), execution_options={"yield_per": _BATCH})
    for rows in found.mappings().partitions():
        yield [{name: _without_nul(value) for name, value in row.items()} for row in rows]


def _without_nul(value: Any) -> Any:
    return value.replace("\0", "") if isinstance(value, str) else value


def _counter(table: Table) -> Column[Any] | None:
    """What counts up and is never used twice."""
    counts = table.dialect_options["sqlite"]["autoincrement"]
    return table.autoincrement_column if counts else None
