"""A leased generation, and the writes that its stages make."""

import asyncio
from typing import Any

from bot.clients.dbservice import DatabaseClient
from protos.lookalike.db.v1 import db_pb2 as db


class Later(Exception):
    """The stage cannot go on now; it is tried again.

    Attributes:
        code: what it waits for, a key of the texts; None says nothing to the user.
        retry_after: seconds to wait; None leaves it to the tick.
    """

    def __init__(self, code: str | None, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after


class Work:
    """A leased generation. Every write carries the lease's fence, and its answer replaces `item`.

    Attributes:
        item: the generation and its photo, as of the last write.
        fence: the lease's.
        abandoned: set when the user has cancelled it meanwhile; a long wait may end then.
    """

    def __init__(self, database: DatabaseClient, item: db.Item, fence: int) -> None:
        self._database = database
        self.item = item
        self.fence = fence
        self.abandoned = asyncio.Event()

    @property
    def id(self) -> str:
        """The generation's id."""
        return self.item.generation.id

    @property
    def photo(self) -> db.Photo:
        """The photo it belongs to."""
        return self.item.photo

    @property
    def generation(self) -> db.Generation:
        """The generation."""
        return self.item.generation

    @property
    def state(self) -> db.GenerationState:
        """The generation's state."""
        return self.item.generation.state

    @property
    def closed(self) -> bool:
        """Whether nothing is left to do."""
        return self.item.generation.HasField("closed_at")

    async def advance(self, to_state: db.GenerationState, **notes: Any) -> None:
        """Moves the generation to a state; `notes` are fields of `GenerationPatch`."""
        self.item = await self._database.advance_generation(
            db.AdvanceGenerationRequest(
                generation_id=self.id,
                fence=self.fence,
                from_state=self.state,
                to_state=to_state,
                patch=db.GenerationPatch(**notes),
            )
        )

    async def record(self, **notes: Any) -> None:
        """Records notes and leaves the state as it is."""
        await self.advance(self.state, **notes)

    async def fail(self, code: str, message: str) -> None:
        """Ends the generation with an error; the close stage tells the user."""
        await self.advance(db.GENERATION_STATE_FAILED, error=db.Error(code=code, message=message))
