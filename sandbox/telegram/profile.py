"""What the bot says of itself: name, description, short description, by language; and its photo.

The lengths are those of core.telegram.org/bots/api; Telegram's server does not document how it
refuses more, so those words are this sandbox's.
"""

from typing import Any, Final

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sandbox.storage.schema import Json, profile
from sandbox.telegram.account import BotAccount
from sandbox.telegram.refusals import bad_request

LENGTHS: Final = {"name": 64, "description": 512, "short_description": 120}
"""The texts, each with how many characters it may have."""

PHOTO: Final = "photo"
"""The field of the profile photo, which is the same in all languages."""


async def set_text(tx: AsyncConnection, field: str, text: str, language: str) -> None:
    """Sets a text for a language, or with "" for all that have none; an empty text removes it.

    Raises:
        Refusal: it is too long.
    """
    if len(text) > LENGTHS[field]:
        raise bad_request(f"{field.upper()}_TOO_LONG")
    await set_value(tx, field, text or None, language)


async def set_value(tx: AsyncConnection, field: str, value: Any, language: str = "") -> None:
    """Sets a field; None removes it."""
    here = profile.c.field == field, profile.c.language_code == language
    await tx.execute(delete(profile).where(*here))
    if value is not None:
        row = {"field": field, "language_code": language, "value": value}
        await tx.execute(insert(profile).values(row))


async def text_for(tx: AsyncConnection, field: str, language: str) -> str:
    """The text that a user of a language sees; empty if there is none."""
    query = select(profile.c.language_code, profile.c.value).where(
        profile.c.field == field, profile.c.language_code.in_({language, ""})
    )
    found = {row.language_code: row.value for row in await tx.execute(query)}
    return str(found.get(language, found.get("", "")))


async def bot_user(tx: AsyncConnection, bot: BotAccount) -> Json:
    """The bot's `User` under the name that it gave itself, as messages show it."""
    name = await text_for(tx, "name", "")
    return {**bot.user, "first_name": name} if name else bot.user


async def describe_profile(tx: AsyncConnection) -> Json:
    """All of it: each text by language, and the photo's file_id or None."""
    described: Json = {field: {} for field in LENGTHS}
    described[PHOTO] = None
    for row in await tx.execute(select(profile)):
        if row.field == PHOTO:
            described[PHOTO] = row.value[-1]["file_id"]
        else:
            described[row.field][row.language_code] = row.value
    return described
