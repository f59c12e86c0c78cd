"""What requests about people must look like: their settings, who may, and who is forgotten."""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dbservice.validation.rules import (
    MAX_NAME,
    Violations,
    dial,
    not_zero,
    text,
    user_in_chat,
    violations,
    within,
)
from protos.lookalike.db.v1 import db_pb2 as db

_MAX_USES: Final = 1000
_MAX_LIFETIME: Final = 366 * 24 * 3600  # seconds
_MAX_SECRET: Final = 64  # characters, as many as a link to a bot takes

_LANGUAGE: Final = re.compile(r"(?:[a-z]{2,3}(?:-[a-z0-9]{2,8}){0,3})?")


@violations.register
def _(request: db.GetStatisticsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)


@violations.register(db.ListForgettingsRequest)
@violations.register(db.ListExportsRequest)
def _(request: db.ListForgettingsRequest | db.ListExportsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from text("holder", request.holder, MAX_NAME)


@violations.register(db.GetSettingsRequest)
@violations.register(db.ChangeSettingsRequest)
def _(request: db.GetSettingsRequest | db.ChangeSettingsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    if isinstance(request, db.ChangeSettingsRequest):
        yield from dial("settings.dial", request.settings.dial)
        if request.settings.pictures not in (0, 1, 2, 4):
            yield "settings.pictures", "must be 1, 2 or 4"
        if not _LANGUAGE.fullmatch(request.settings.language):
            yield "settings.language", "must be a language tag in lower-case letters"
        if not _is_zone(request.settings.time_zone):
            yield "settings.time_zone", "must be of the IANA time zone database"
        yield from text("settings.style", request.settings.style, MAX_NAME)
        yield from text("language_code", request.language_code, MAX_NAME)


@violations.register
def _(request: db.MoveChatRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    for field in ("from_chat_id", "to_chat_id"):
        if getattr(request, field) >= 0:
            yield field, "must be a group's, which is negative"
    if request.from_chat_id == request.to_chat_id:
        yield "to_chat_id", "must be another one"


@violations.register(db.ForgetUserRequest)
@violations.register(db.EndForgettingRequest)
def _(request: db.ForgetUserRequest | db.EndForgettingRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)


@violations.register
def _(request: db.BeginForgettingRequest) -> Violations:
    yield from user_in_chat(request)
    yield from within("message_id", request.message_id, 1)
    yield from text("language_code", request.language_code, MAX_NAME)


@violations.register(db.BeginExportRequest)
@violations.register(db.EndExportRequest)
def _(request: db.BeginExportRequest | db.EndExportRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from within("message_id", request.message_id, 1)
    if isinstance(request, db.BeginExportRequest):
        yield from text("language_code", request.language_code, MAX_NAME)


@violations.register(db.ReadExportRequest)
@violations.register(db.ListUploadsRequest)
def _(request: db.ReadExportRequest | db.ListUploadsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from text("cursor", request.cursor, MAX_NAME)


@violations.register
def _(request: db.AdvanceExportRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from within("message_id", request.message_id, 1)
    step = request.WhichOneof("step")
    if step == "part":
        yield from within("part.number", request.part.number, 1)
        yield from text("part.cursor", request.part.cursor, MAX_NAME)
    elif step is not None:
        yield from within(step, getattr(request, step), 0)
    else:
        yield "step", "must be given"


@violations.register
def _(request: db.GetAccessRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from not_zero("chat_id", request.chat_id)


@violations.register(db.ClaimBotRequest)
@violations.register(db.BanUserRequest)
@violations.register(db.UnbanUserRequest)
def _(request: db.ClaimBotRequest | db.BanUserRequest | db.UnbanUserRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)


@violations.register
def _(request: db.CreateInviteRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from within("max_uses", request.max_uses, 1, _MAX_USES)
    yield from within("lifetime_seconds", request.lifetime_seconds, 1, _MAX_LIFETIME)


@violations.register
def _(request: db.ListInvitesRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)


@violations.register
def _(request: db.RevokeInviteRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from within("id", request.id, 1)


@violations.register
def _(request: db.RedeemInviteRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from text("secret", request.secret, _MAX_SECRET, least=1)


def _is_zone(name: str) -> bool:
    """Whether it is a time zone; "" is none, and may be chosen."""
    try:
        return not name or bool(ZoneInfo(name))
    except (OSError, ValueError, ZoneInfoNotFoundError):  # a folder of zones, a path, a fancy
        return False
