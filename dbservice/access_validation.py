"""What a request about access must look like; it is registered with `dbservice.validation`."""

from typing import Final

from dbservice.validation import _not_zero, _text, _Violations, _violations, _within
from protos.lookalike.db.v1 import db_pb2 as db

MAX_USES: Final = 1000
_MAX_LIFETIME: Final = 366 * 24 * 3600  # seconds
_MAX_SECRET: Final = 64  # characters, as many as a link to a bot takes


@_violations.register
def _(request: db.GetAccessRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("user_id", request.user_id)
    yield from _not_zero("chat_id", request.chat_id)


@_violations.register(db.ClaimBotRequest)
@_violations.register(db.BanUserRequest)
@_violations.register(db.UnbanUserRequest)
def _(request: db.ClaimBotRequest | db.BanUserRequest | db.UnbanUserRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("user_id", request.user_id)


@_violations.register
def _(request: db.CreateInviteRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _within("max_uses", request.max_uses, 1, MAX_USES)
    yield from _within("lifetime_seconds", request.lifetime_seconds, 1, _MAX_LIFETIME)


@_violations.register
def _(request: db.ListInvitesRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)


@_violations.register
def _(request: db.RevokeInviteRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _within("id", request.id, 1)


@_violations.register
def _(request: db.RedeemInviteRequest) -> _Violations:
    yield from _within("bot_id", request.bot_id, 1)
    yield from _not_zero("user_id", request.user_id)
    yield from _text("secret", request.secret, _MAX_SECRET, least=1)
