"""Who asks: the user whom Telegram's signature names, if they may use the bot."""

import time
from dataclasses import dataclass
from typing import Final

from init_data_py import errors, hash_token, strip_auth_header, validate_by_hash
from starlette.requests import Request

from bot import texts
from bot.access import Party, Standing
from bot.services import Services
from bot.texts.texts import Texts
from bot.web.gallery.problems import Problem
from protos.lookalike.db.v1 import db_pb2 as db

SESSION_SECONDS: Final = 3600
"""How long what Telegram has signed is taken."""

_MOST_CHARACTERS: Final = 4096  # of what it has signed


@dataclass(frozen=True)
class Visitor:
    """Somebody who may use the bot.

    Attributes:
        user_id: their id.
        is_admin: whether they run the bot.
        language_code: theirs, as Telegram says; "": it does not.
        texts: what the bot says to them.
        zone: the time zone that they have chosen; "": none.
    """

    user_id: int
    is_admin: bool
    language_code: str
    texts: Texts
    zone: str


class Visitors:
    """Finds out who asks."""

    def __init__(self, services: Services, token: str, bot_id: int) -> None:
        """`token` is the bot's, with which Telegram signs."""
        self._services = services
        self._key = hash_token(token)
        self._bot_id = bot_id

    async def of(self, request: Request) -> Visitor:
        """The visitor behind a request with `Authorization: tma <init data>`.

        https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app

        Raises:
            Problem: there is none.
            DatabaseError: nobody knows.
        """
        user_id, language_code = self._signed(request.headers.get("Authorization", ""))
        said = texts.of(language_code)
        standing = await self.standing(user_id)
        if not standing.may_use:
            raise Problem("not-allowed", said.access.refusal(standing))
        chosen = await self._services.database.get_settings(
            db.GetSettingsRequest(bot_id=self._bot_id, user_id=user_id, chat_id=user_id)
        )
        return Visitor(
            user_id,
            standing is Standing.ADMIN,
            language_code,
            texts.of(chosen.language or language_code),
            chosen.time_zone,
        )

    async def standing(self, user_id: int) -> Standing:
        """What somebody may do. Raises DatabaseError: nobody knows."""
        services = self._services
        party = Party(user_id, user_id)
        return await services.access.standing(services.database, self._bot_id, party)

    def _signed(self, header: str) -> tuple[int, str]:
        """The user's id and language, as Telegram has signed them."""
        english = texts.of(None).gallery
        if not header:
            raise Problem("no-init-data", english.only_from_telegram)
        if len(header) > _MOST_CHARACTERS:
            raise Problem("bad-init-data", english.only_from_telegram)
        try:
            # Nothing of it is looked at before its signature is, its age included.
            signed = validate_by_hash(
                strip_auth_header(header), self._key, token_hashed=True, expires_in=None
            )
        except errors.InvalidInitDataError as error:
            raise Problem("bad-init-data", english.only_from_telegram) from error
        user = signed.user
        if user is None:
            raise Problem("bad-init-data", english.only_from_telegram)
        if time.time() > signed.issued_at.timestamp() + SESSION_SECONDS:
            raise Problem("expired", texts.of(user.language_code).gallery.expired)
        return user.id, user.language_code or ""
