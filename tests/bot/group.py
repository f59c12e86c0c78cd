"""A group with a bot in it, and who is there."""

from dataclasses import dataclass
from typing import Any

from bot.texts import of
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, nothing_waits, states
from tests.sandbox.client import Json, ShownMessage

SAID, LT = EN.groups, of("lt")
CAPTION = "a cat on a sofa"


@dataclass
class Group:
    """A forum with its administrator, Ada, and two others.

    `theirs` is a photo that Cleo has sent without a word for the bot.
    """

    desk: Desk
    id: int
    ada: int
    bob: int
    cleo: int
    theirs: ShownMessage

    @classmethod
    async def new(cls, desk: Desk) -> "Group":
        people = desk.people
        ada, bob, cleo = [await people.add_user(name) for name in ("Ada", "Bob", "Cleo")]
        group = await people.add_group([ada, bob, cleo], kind="supergroup", forum=True)
        theirs = await people.send_photo(group, picture(), user=cleo)
        return cls(desk, group, ada, bob, cleo, theirs)

    async def photo(self, caption: str | None = None, **more: Any) -> ShownMessage:
        return await self.desk.people.send_photo(
            self.id, picture(), **{"user": self.bob, "caption": caption} | more
        )

    async def say(self, text: str, **more: Any) -> ShownMessage:
        return await self.desk.people.send_text(self.id, text, **{"user": self.bob} | more)

    async def answer(self, text: str, **more: Any) -> ShownMessage:
        """Says it in reply to Cleo's photo."""
        return await self.say(text, reply_to=self.theirs.id, **more)

    async def raw(self, sent: ShownMessage, **fields: Any) -> Json:
        """Gives the bot a message again, or another one like it."""
        message = {key: value for key, value in sent.json.items() if key != "edits"}
        changed: Json = {
            key: value for key, value in {**message, **fields}.items() if value is not None
        }
        await self.desk.people.send_updates([{"message": changed}])
        return changed

    async def begun(self) -> dict[str, int]:
        """How much has been begun for each."""
        await nothing_waits(self.desk)
        owners = {"ada": self.ada, "bob": self.bob, "cleo": self.cleo, "group": self.id}
        counts = {
            name: len(await states(self.desk, self.id, each)) for name, each in owners.items()
        }
        return {name: count for name, count in counts.items() if count}

    async def settings(self) -> db.UserSettings:
        request = db.GetSettingsRequest(bot_id=BOT, user_id=self.id)
        return await self.desk.database.get_settings(request)
