"""Work that a process may have died of: it is done alone, and given up when that is certain.

A process that dies leaves its leases behind, and the next one cannot know which of them it died of.
So it works on each alone first, and says so in the row before it begins: who dies then is to blame.
Those that begin with a search come after these, and are counted, but hold up nobody.
"""

import logging

from bot.clients.errors import DatabaseError
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db

MOST_ATTEMPTS = 3
"""So often it may end a process that does nothing else."""

_ENDED = frozenset(
    {
        db.GENERATION_STATE_DELIVERED,
        db.GENERATION_STATE_FAILED,
        db.GENERATION_STATE_REFUSED,
        db.GENERATION_STATE_CANCELLED,
        db.GENERATION_STATE_UNDELIVERABLE,
    }
)

_log = logging.getLogger(__name__)


def is_suspect(item: WorkItem) -> bool:
    """Whether a process may have died of this work; one that did it alone since is no proof."""
    return bool(item.generation.attempts) and not item.memory.survived


def is_searching(item: WorkItem) -> bool:
    """Whether it begins with a look for what it has sent, which takes long and ends no process."""
    return item.generation.HasField("sending")


async def begin(item: WorkItem) -> None:
    """Records that this work begins and nothing else is done, or gives it up.

    Raises:
        DatabaseError: that is not recorded, so that it must not begin.
    """
    attempts = item.generation.attempts
    if attempts <= MOST_ATTEMPTS:
        await item.record(attempts=attempts + 1)
    elif item.state in _ENDED:  # it is telling the user that ends the process
        await item.close()
    else:
        await item.fail("gave-up", f"the bot died of it {MOST_ATTEMPTS} times")


async def end(item: WorkItem) -> None:
    """Records that the process lives on."""
    item.memory.survived = True
    if item.closed or not item.generation.attempts:
        return
    try:
        await item.record(attempts=0)
    except DatabaseError as error:
        _log.info("That %s did no harm could not be recorded: %s", item.id, error)
