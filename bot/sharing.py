"""Pictures that their owner sends on, from a Mini App."""

from telegram import Bot, InlineQueryResultCachedPhoto

from bot.refusals import translated
from bot.texts.texts import Texts
from protos.lookalike.db.v1 import db_pb2 as db


async def prepare(bot: Bot, user_id: int, item: db.Item, texts: Texts) -> str:
    """Has Telegram keep a picture for its owner to send where they like; gives its id there.

    Raises:
        TelegramUnavailable: it may work later.
        CannotDeliver: Telegram does not do it.
        WrongFile: it has forgotten the picture.
    """
    generation = item.generation
    photo = InlineQueryResultCachedPhoto(
        generation.id, generation.picture.file_id, caption=texts.pictures.picture(item)
    )
    async with translated():
        prepared = await bot.save_prepared_inline_message(
            user_id,
            photo,
            allow_user_chats=True,
            allow_bot_chats=True,
            allow_group_chats=True,
            allow_channel_chats=True,
        )
    return str(prepared.id)
