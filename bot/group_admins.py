"""Who acts for a group: its administrators, whoever of them wrote in its name."""

import asyncio
import logging
import time

from telegram import Chat
from telegram.constants import ChatType
from telegram.error import TelegramError

_log = logging.getLogger(__name__)

_KNOWN_SECONDS = 60.0
_ANSWER_SECONDS = 5.0
_MOST_CHATS = 1000


class GroupAdmins:
    """Asks Telegram, for each group at most once a minute."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[float, frozenset[int]]] = {}

    async def include(self, chat: Chat, user_id: int) -> bool:
        """Whether a user administers a group. Nobody does while Telegram does not say.

        Whoever writes in the group's name does: it is then the user.
        """
        if chat.type == ChatType.PRIVATE:
            return False
        if user_id == chat.id:
            return True
        at, users = self._known.get(chat.id, (0.0, frozenset[int]()))
        if chat.id not in self._known or time.monotonic() - at > _KNOWN_SECONDS:
            users = await self._ask(chat)
            if len(self._known) >= _MOST_CHATS:
                self._known.clear()
            self._known[chat.id] = time.monotonic(), users
        return user_id in users

    @staticmethod
    async def _ask(chat: Chat) -> frozenset[int]:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                members = await chat.get_administrators()
        except (TelegramError, TimeoutError) as error:
            _log.info("The administrators of %d are not known: %s", chat.id, error)
            return frozenset()
        return frozenset(member.user.id for member in members)
