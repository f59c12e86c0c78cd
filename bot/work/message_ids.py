"""What this process knows of the ids that messages have."""

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

_SUPERGROUPS = -1_000_000_000_000
"""The ids of supergroups are below this (core.telegram.org/api/bots/ids)."""

_REMEMBERED = 10_000
_MOST_CHATS = 10_000


def _count(chat_id: int) -> int:
    """Whose count it is: a supergroup has its own, all other chats of a bot share one."""
    return chat_id if chat_id < _SUPERGROUPS else 0


class MessageIds:
    """The newest id of each count, and ids that are settled: whose they are is recorded."""

    def __init__(self) -> None:
        self._newest: OrderedDict[int, int] = OrderedDict()
        self._settled: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._looking: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def newest(self, chat_id: int) -> int:
        """The newest id that is known in this chat's count; 0 if none is."""
        return self._newest.get(_count(chat_id), 0)

    def see(self, chat_id: int, message_id: int) -> None:
        """There is a message with this id."""
        count = _count(chat_id)
        self._newest[count] = max(message_id, self._newest.pop(count, 0))
        if len(self._newest) > _MOST_CHATS:
            self._newest.popitem(last=False)

    def settle(self, chat_id: int, message_id: int) -> None:
        """Whose this message is, is recorded, or it is gone: nobody has to look at it."""
        self.see(chat_id, message_id)
        self._settled[_count(chat_id), message_id] = None
        if len(self._settled) > _REMEMBERED:
            self._settled.popitem(last=False)

    def is_settled(self, chat_id: int, message_id: int) -> bool:
        """Whether this message needs no look."""
        return (_count(chat_id), message_id) in self._settled

    def looking(self, chat_id: int) -> asyncio.Lock:
        """Held while messages of this chat are looked for: one look at a time."""
        return self._looking.setdefault(chat_id, asyncio.Lock())
