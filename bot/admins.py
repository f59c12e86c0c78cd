"""Those who run the bot, and how they are spoken to, as far as this process knows.

That lasts while dbservice is away, which is something to tell them.
"""

from collections.abc import Iterable, Mapping

from bot.clients.dbservice import DatabaseClient
from protos.lookalike.db.v1 import db_pb2 as db


class Admins:
    """The owner and those whom `BOT_ADMINS` names, each with a language.

    Attributes:
        seen: who of them has written to the bot in private since this process began.
    """

    def __init__(self, named: Iterable[int] = ()) -> None:
        """`named` are known from the start; the owner is dbservice's to say."""
        self._named = sorted(named)
        self._languages = dict.fromkeys(self._named, "")
        self.seen: set[int] = set()

    @property
    def languages(self) -> Mapping[int, str]:
        """The language of each, as far as it is known."""
        return {**self._languages}

    async def learn(self, database: DatabaseClient, bot_id: int) -> None:
        """Asks who they are; the languages that are known stay.

        Raises:
            DatabaseError: nobody knows.
        """
        request = db.ListAdminsRequest(bot_id=bot_id, user_ids=self._named)
        for each in (await database.list_admins(request)).admins:
            self.add(each.user_id, self._languages.get(each.user_id) or each.language_code)

    def add(self, user_id: int, language_code: str) -> None:
        """Somebody runs the bot."""
        self._languages[user_id] = language_code or self._languages.get(user_id, "")

    def see(self, user_id: int, language_code: str) -> None:
        """Somebody, who may run the bot, is spoken to in this language."""
        if user_id in self._languages:
            self.add(user_id, language_code)
            self.seen.add(user_id)
