"""Finding what a process that died may have sent of its own accord.

As `bot.work.search` does it: a message is read as the one that another message replies to, a probe
without a sound, which is deleted at once. All private chats of a bot share one count of ids, so
what is looked for is among those that follow the newest that was known when it was sent.
"""

from collections.abc import Callable
from typing import Final

from telegram import InlineKeyboardMarkup, Message

from bot.messages import is_of_the_bot
from bot.messenger import Messenger
from bot.work.search import PROBE

_ASKED: Final = 160
"""Ids that are tried from each end: others may have been written to between what was known and it,
or between it and the end."""


async def newest_id(
    messenger: Messenger,
    chat_id: int,
    over: str,
    button: InlineKeyboardMarkup | None = None,
    *,
    reply_to: int | None = None,
) -> int:
    """An id that everything sent so far is below.

    Args:
        messenger: Telegram.
        chat_id: a private chat that is searched, too: there, a probe comes and goes.
        over: what a probe says that cannot be deleted.
        button: that of what is looked for.
        reply_to: what the probe replies to.

    Raises:
        TelegramUnavailable: nobody knows.
        CannotDeliver: likewise.
    """
    probe = await messenger.reply(chat_id, reply_to, PROBE, button, silent=True)
    await messenger.delete(chat_id, probe.message_id, over)
    return probe.message_id


async def find(
    messenger: Messenger,
    chat_id: int,
    ids: range,
    is_it: Callable[[Message], bool],
    over: str,
    button: InlineKeyboardMarkup | None = None,
) -> int | None:
    """The newest message of ours in a private chat that is the one; None: there is none.

    Args:
        messenger: Telegram.
        chat_id: the chat.
        ids: what it may have; of many, those at both ends are tried.
        is_it: tells it from others.
        over: what a probe says that cannot be deleted.
        button: that of probes; those that were left behind are deleted.

    Raises:
        TelegramUnavailable: nobody knows.
        CannotDeliver: likewise, as the bot is blocked.
    """
    found = None
    for message_id in (*ids[:_ASKED], *ids[_ASKED:][-_ASKED:]):
        await messenger.keep_pace(chat_id)
        probe = await messenger.reply_if_there(chat_id, message_id, PROBE, button)
        if probe is None:
            continue
        await messenger.delete(chat_id, probe.message_id, over)
        message = probe.reply_to_message
        if message is None or not is_of_the_bot(message):
            continue
        if message.text == PROBE:
            await messenger.delete(chat_id, message_id, over)
        elif is_it(message):
            found = message_id
    return found
