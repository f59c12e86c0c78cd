"""Small values kept by name: counters, and options in JSON."""

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage import schema

UNKNOWN_METHODS = "unknown_methods"
"""The option that lists the methods that the bot called and that do not exist here."""


async def next_number(tx: AsyncConnection, name: str) -> int:
    """The counter's next value, from 1; never the same one twice, also after a restart."""
    statement = (
        upsert(schema.counters)
        .values(name=name, value=1)
        .on_conflict_do_update(
            index_elements=[schema.counters.c.name],
            set_={"value": schema.counters.c.value + 1},
        )
        .returning(schema.counters.c.value)
    )
    value: int = (await tx.execute(statement)).scalar_one()
    return value


async def get_option(tx: AsyncConnection, name: str) -> Any:
    """The value under `name`; None if there is none."""
    table = schema.options
    return (await tx.execute(select(table.c.value).where(table.c.name == name))).scalar()


async def set_option(tx: AsyncConnection, name: str, value: Any) -> None:
    """Stores a JSON value under `name`; None removes it."""
    table = schema.options
    await tx.execute(delete(table).where(table.c.name == name))
    if value is not None:
        await tx.execute(insert(table).values(name=name, value=value))
