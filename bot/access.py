"""Who may use the bot: the one place that decides, whichever way somebody comes."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Final, Literal

from telegram import Message, Update
from telegram.constants import ChatType

from bot.clients.dbservice import DatabaseClient
from bot.messages import sender_of
from lookalike import ownership
from protos.lookalike.db.v1 import db_pb2 as db

Policy = Literal["me", "invited", "everyone"]

INVITE_PREFIX: Final = "i_"
"""What the parameter of an invite begins with."""

_LINK: Final = re.compile(rf"/start ((?:{ownership.PREFIX}|{INVITE_PREFIX})[A-Za-z0-9_-]{{1,62}})")
"""What a link to a bot has its opener write (core.telegram.org/bots/features#deep-linking)."""


class Standing(Enum):
    """What somebody may do."""

    ADMIN = auto()
    USER = auto()
    STRANGER = auto()
    BANNED = auto()

    @property
    def may_use(self) -> bool:
        """Whether they are answered at all."""
        return self in (Standing.ADMIN, Standing.USER)


@dataclass(frozen=True)
class Party:
    """Who does something, and where.

    Attributes:
        user_id: the user's, or that of the chat in whose name they write.
        chat_id: the chat's; a private one has its user's id.
    """

    user_id: int
    chat_id: int


def party_of(update: Update) -> Party | None:
    """Who is behind an update; None: nobody whom we could answer."""
    query, message, reaction = update.callback_query, update.message, update.message_reaction
    if update.inline_query is not None:  # where it is written is not said
        user_id = update.inline_query.from_user.id
        return Party(user_id, user_id)
    if update.channel_post is not None:
        return Party(update.channel_post.chat.id, update.channel_post.chat.id)
    if reaction is not None:
        who = reaction.user or reaction.actor_chat
        return None if who is None else Party(who.id, reaction.chat.id)
    if query is not None:
        chat = query.message.chat if query.message is not None else None
        return Party(query.from_user.id, chat.id if chat is not None else query.from_user.id)
    if message is None:
        return None
    sender = sender_of(message)
    return Party(message.chat.id if sender is None else sender.id, message.chat.id)


def link_in(message: Message | None) -> str:
    """The parameter of a link that may let somebody in, and was opened with this; or nothing."""
    if message is None or message.chat.type != ChatType.PRIVATE:
        return ""
    match = _LINK.fullmatch(message.text or "")
    return match[1] if match else ""


class Opened(Enum):
    """What comes of such a link."""

    OWNER = auto()
    MEMBER = auto()
    USED_UP = auto()
    EXPIRED = auto()
    REVOKED = auto()
    NOTHING = auto()


_OPENED: Final[Mapping[db.Redemption, Opened]] = {
    db.REDEMPTION_ACCEPTED: Opened.MEMBER,
    db.REDEMPTION_MEMBER: Opened.MEMBER,
    db.REDEMPTION_USED_UP: Opened.USED_UP,
    db.REDEMPTION_EXPIRED: Opened.EXPIRED,
    db.REDEMPTION_REVOKED: Opened.REVOKED,
}


@dataclass(frozen=True)
class Access:
    """The bot's rules.

    Attributes:
        policy: whom it is for: whoever is not banned, those who were invited, or none but these.
        admins: users who run the bot besides its owner.
        allowed: users whom it is for as well, and chats: whoever writes there.
        home: where the links are known with which the bot is owned.
    """

    policy: Policy = "everyone"
    admins: AbstractSet[int] = frozenset()
    allowed: AbstractSet[int] = frozenset()
    home: Path = Path()

    async def standing(self, database: DatabaseClient, bot_id: int, party: Party) -> Standing:
        """What somebody may do there.

        Raises:
            DatabaseError: nobody knows; so nobody may do anything.
        """
        if party.user_id in self.admins:
            return Standing.ADMIN
        known = await database.get_access(
            db.GetAccessRequest(bot_id=bot_id, user_id=party.user_id, chat_id=party.chat_id)
        )
        if known.owner:
            return Standing.ADMIN
        if known.banned:
            return Standing.BANNED
        is_in = (
            self.policy == "everyone"
            or not self.allowed.isdisjoint((party.user_id, party.chat_id))
            or (self.policy == "invited" and known.member)
        )
        return Standing.USER if is_in else Standing.STRANGER

    @property
    def audience(self) -> db.Audience:
        """Whom the bot writes to of its own accord, besides its owner: whoever may use it."""
        return db.Audience(
            everyone=self.policy == "everyone",
            members=self.policy == "invited",
            user_ids=sorted(each for each in self.admins | self.allowed if each > 0),
        )

    async def is_admin(self, database: DatabaseClient, bot_id: int, party: Party | None) -> bool:
        """Whether somebody runs the bot. Raises DatabaseError: nobody knows."""
        if party is None:
            return False
        return await self.standing(database, bot_id, party) is Standing.ADMIN

    async def is_owned(self, database: DatabaseClient, bot_id: int) -> bool:
        """Whether the bot has an owner. Raises DatabaseError: nobody knows."""
        nobody = db.GetAccessRequest(bot_id=bot_id, user_id=bot_id, chat_id=bot_id)
        return (await database.get_access(nobody)).owned

    async def open(
        self, database: DatabaseClient, bot_id: int, party: Party, parameter: str
    ) -> Opened:
        """Lets somebody in by a link, or says why not; safe to repeat.

        Raises:
            DatabaseError: nothing has come of it.
        """
        if parameter.startswith(ownership.PREFIX):
            secret = parameter.removeprefix(ownership.PREFIX)
            return await self._own(database, bot_id, party, secret)
        standing = await self.standing(database, bot_id, party)
        if standing is not Standing.STRANGER or self.policy != "invited":
            return Opened.NOTHING  # whoever is in costs no use
        secret = parameter.removeprefix(INVITE_PREFIX)
        request = db.RedeemInviteRequest(bot_id=bot_id, user_id=party.user_id, secret=secret)
        return _OPENED.get(await database.redeem_invite(request), Opened.NOTHING)

    async def _own(
        self, database: DatabaseClient, bot_id: int, party: Party, secret: str
    ) -> Opened:
        if not ownership.is_good(self.home, secret):
            request = db.GetAccessRequest(
                bot_id=bot_id, user_id=party.user_id, chat_id=party.chat_id
            )
            is_owner = (await database.get_access(request)).owner
            return Opened.OWNER if is_owner else Opened.NOTHING
        request_to_own = db.ClaimBotRequest(bot_id=bot_id, user_id=party.user_id)
        if not await database.claim_bot(request_to_own):
            return Opened.USED_UP
        ownership.spend(self.home)
        return Opened.OWNER
