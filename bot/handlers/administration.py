"""What only those who run the bot can do: /invite, /invites, /ban, /unban and /stats."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, Final

from telegram import Message, Update
from telegram.ext import BaseHandler, CallbackQueryHandler, CommandHandler

from bot import keyboards
from bot.access import INVITE_PREFIX, party_of
from bot.callbacks import INVITE, answer
from bot.clients.errors import ListFull, NotFound
from bot.context import Context
from bot.handlers import statistics
from bot.messages import is_private, sender_of
from protos.lookalike.db.v1 import db_pb2 as db

_LIFETIME: Final = dt.timedelta(days=7)
_MOST_USES: Final = 1000  # as dbservice takes it

_Act = Callable[[Message, Context], Awaitable[str | None]]


def handlers() -> list[BaseHandler[Update, Context, Any]]:
    """The handlers of the commands and of the buttons."""
    return [
        command("invite", _invite),
        command("invites", _list),
        command("ban", _ban),
        command("unban", _unban),
        command("stats", statistics.show),
        CallbackQueryHandler(_revoke, pattern=INVITE),
    ]


async def is_admin(update: Update, context: Context) -> bool:
    """Whether an update is of somebody who runs the bot."""
    services = context.services
    return await services.access.is_admin(services.database, context.bot.id, party_of(update))


def command(name: str, act: _Act) -> BaseHandler[Update, Context, Any]:
    """A command of those who run the bot: what `act` gives is the answer.

    For everybody else there is no such command.
    """

    async def handle(update: Update, context: Context) -> None:
        message = update.message
        if message is None:
            return
        text: str | None = None
        if await is_admin(update, context):
            try:
                text = await act(message, context)
            except ListFull:
                text = context.texts.access.list_full
        elif is_private(message):
            text = context.texts.unknown_command
        if text:
            await message.reply_text(text)

    return CommandHandler(name, handle)


async def _invite(message: Message, context: Context) -> str | None:
    services, said = context.services, context.texts.access
    if problem := _no_links(message, context):
        return problem
    uses = _number(context, 1)
    if uses is None or not 1 <= uses <= _MOST_USES:
        return said.invite_usage
    made = await services.database.create_invite(
        db.CreateInviteRequest(
            bot_id=context.bot.id,
            max_uses=uses,
            lifetime_seconds=int(_LIFETIME.total_seconds()),
        )
    )
    link = f"https://t.me/{context.bot.username}?start={INVITE_PREFIX}{made.secret}"
    await message.reply_text(
        said.invite(made.invite, link, _LIFETIME.days),
        reply_markup=keyboards.invites([made.invite], context.texts),
    )
    return None


async def _list(message: Message, context: Context) -> str | None:
    if problem := _no_links(message, context):
        return problem
    found = await _invites(context)
    await message.reply_text(
        context.texts.access.invites(found, dt.datetime.now(dt.UTC)),
        reply_markup=keyboards.invites(found, context.texts),
    )
    return None


def _no_links(message: Message, context: Context) -> str | None:
    said, policy = context.texts.access, context.services.access.policy
    if policy != "invited":
        return said.no_invites(policy)
    return None if is_private(message) else said.in_private


async def _invites(context: Context) -> list[db.Invite]:
    request = db.ListInvitesRequest(bot_id=context.bot.id)
    return [*(await context.services.database.list_invites(request)).invites]


async def _revoke(update: Update, context: Context) -> None:
    query, match, said = update.callback_query, context.match, context.texts.access
    if query is None or match is None:
        return
    if not await is_admin(update, context):
        await answer(query, context.texts.not_yours)
        return
    try:
        request = db.RevokeInviteRequest(bot_id=context.bot.id, id=int(match[1]))
        await context.services.database.revoke_invite(request)
    except NotFound:
        await answer(query, context.texts.gone)
        return
    await answer(query, said.revoked)
    left = await _invites(context)
    await query.edit_message_text(
        said.invites(left, dt.datetime.now(dt.UTC)),
        reply_markup=keyboards.invites(left, context.texts),
    )


async def _ban(message: Message, context: Context) -> str:
    said, services, whom = context.texts.access, context.services, _whom(message, context)
    if whom is None:
        return said.ban_usage
    if whom in services.access.admins:
        return said.is_admin
    request = db.BanUserRequest(bot_id=context.bot.id, user_id=whom)
    answered = await services.database.ban_user(request)
    if not answered.banned:
        return said.is_admin
    return said.banned(whom) if answered.changed else said.banned_before(whom)


async def _unban(message: Message, context: Context) -> str:
    said, whom = context.texts.access, _whom(message, context)
    if whom is None:
        return said.unban_usage
    request = db.UnbanUserRequest(bot_id=context.bot.id, user_id=whom)
    changed = await context.services.database.unban_user(request)
    return said.unbanned(whom) if changed else said.not_banned(whom)


def _whom(message: Message, context: Context) -> int | None:
    """Whom a command is about: the given number, or who wrote what it replies to.

    That is not whoever wrote in the group's own name: it would be the whole group.
    """
    if context.args:
        return _number(context, 0) or None
    replied = message.reply_to_message
    sender = sender_of(replied) if replied is not None else None
    if sender is None or sender.id in (context.bot.id, message.chat.id):
        return None
    return sender.id


def _number(context: Context, default: int) -> int | None:
    """What stands after a command; None: no number of a few digits."""
    if not context.args:
        return default
    try:
        number = int(context.args[0])
    except ValueError:
        return None
    return number if len(context.args) == 1 and abs(number) < 10**16 else None
