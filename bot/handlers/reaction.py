"""A thumb or a heart on one's own picture gives it a star; taken back, it takes the star, too."""

from collections.abc import Iterable
from typing import Any, Final

from telegram import ReactionType, ReactionTypeEmoji, Update
from telegram.constants import ReactionEmoji
from telegram.ext import BaseHandler, MessageReactionHandler

from bot.access import party_of
from bot.clients.errors import NotFound, NotOwner
from bot.context import Context
from bot.handlers.recorded import Recorded
from bot.services import Services
from protos.lookalike.db.v1 import db_pb2 as db

_STARS: Final = frozenset({ReactionEmoji.THUMBS_UP, ReactionEmoji.RED_HEART})


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handler of reactions. The reaction is the answer itself: nothing else is said."""
    kind = MessageReactionHandler.MESSAGE_REACTION_UPDATED
    return [Recorded(MessageReactionHandler(_leave, message_reaction_types=kind), _star)]


async def _star(update: Update, services: Services) -> None:
    """Does what the star on the card does, if it is the owner's reaction; safe to repeat."""
    reaction, party = update.message_reaction, party_of(update)
    if reaction is None or party is None:
        return
    starred = _has_star(reaction.new_reaction)
    if starred == _has_star(reaction.old_reaction):
        return
    whose: dict[str, Any] = {
        "bot_id": update.get_bot().id,
        "chat_id": party.chat_id,
        "user_id": party.user_id,
    }
    about = db.GetGenerationRequest(**whose, message_id=reaction.message_id)
    try:
        found = await services.database.get_generation(about)
        if found.kind == db.MESSAGE_KIND_PICTURE:
            key = found.item.generation.id
            request = db.StarGenerationRequest(**whose, generation_id=key, starred=starred)
            await services.database.star_generation(request)
    except (NotFound, NotOwner):
        return


def _has_star(reactions: Iterable[ReactionType]) -> bool:
    return any(isinstance(each, ReactionTypeEmoji) and each.emoji in _STARS for each in reactions)


async def _leave(_update: Update, _context: Context) -> None:
    return
