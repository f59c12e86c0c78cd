"""Finding out whether a broadcast has reached somebody whom it may have been sent to.

As `bot.work.search` does it: a message is read as the one that another message replies to, a probe
without a sound, which is deleted at once. All private chats of a bot share one count of ids, so
what is looked for is among those that follow the newest that was known when it was sent.
"""

from typing import Final

from telegram import InlineKeyboardMarkup

from bot.messages import data_of
from bot.messenger import Messenger
from bot.work.search import PROBE

_MOST_ASKED: Final = 160
"""Ids that are tried: what was sent has one of the next ones, as it was sent at once."""


async def newest_id(
    messenger: Messenger, chat_id: int, button: InlineKeyboardMarkup, over: str
) -> int:
    """An id that everything sent so far is below.

    Args:
        messenger: Telegram.
        chat_id: a private chat that is searched, too: there, a probe comes and goes.
        button: that of what is looked for.
        over: what a probe says that cannot be deleted.

    Raises:
        TelegramUnavailable: nobody knows.
        CannotDeliver: likewise.
    """
    probe = await messenger.reply(chat_id, None, PROBE, button, silent=True)
    await messenger.delete(chat_id, probe.message_id, over)
    return probe.message_id


async def has_reached(
    messenger: Messenger, chat_id: int, ids: range, button: InlineKeyboardMarkup, over: str
) -> bool:
    """Whether a message of ours with this button is in a private chat.

    Args:
        messenger: Telegram.
        chat_id: the chat.
        ids: what it may have.
        button: its only one; probes have it, too, and those that were left behind are deleted.
        over: what one says that cannot be deleted.

    Raises:
        TelegramUnavailable: nobody knows.
        CannotDeliver: likewise, as the bot is blocked.
    """
    ((its,),) = button.inline_keyboard
    found = False
    for message_id in ids[:_MOST_ASKED]:
        probe = await messenger.reply_if_there(chat_id, message_id, PROBE, button)
        if probe is None:
            continue
        await messenger.delete(chat_id, probe.message_id, over)
        message = probe.reply_to_message
        if message is not None and its.callback_data in data_of(message):
            if message.text == PROBE:
                await messenger.delete(chat_id, message_id, over)
            else:
                found = True
        await messenger.keep_pace(chat_id)
    return found
