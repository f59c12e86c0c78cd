"""What requests about broadcasts must look like."""

from typing import Final

from dbservice.validation.rules import MAX_NAME, Violations, not_zero, text, violations, within
from protos.lookalike.db.v1 import db_pb2 as db

_MOST_NAMED: Final = 1000  # users, as a setting names them
_MOST_IN_FLIGHT: Final = 25


@violations.register
def _(request: db.ListAdminsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from within("user_ids", len(request.user_ids), 0, _MOST_NAMED)


@violations.register
def _(request: db.CountRecipientsRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from not_zero("user_id", request.user_id)
    yield from within("audience.user_ids", len(request.audience.user_ids), 0, _MOST_NAMED)


@violations.register
def _(request: db.GetBroadcastRequest) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from text("holder", request.holder, MAX_NAME)


@violations.register
def _(request: db.BeginBroadcastRequest) -> Violations:
    yield from _of_a_user(request)
    yield from within("source_message_id", request.source_message_id, 1)
    yield from text("language_code", request.language_code, MAX_NAME)
    yield from within("total", request.total, 0)


@violations.register
def _(request: db.CancelBroadcastRequest) -> Violations:
    yield from _of_a_user(request)


@violations.register
def _(request: db.AdvanceBroadcastRequest) -> Violations:
    yield from _known(request)
    yield from within("step", request.step, 0)
    for field in ("sent", "blocked", "failed", "limit"):
        yield from within(field, getattr(request, field), 0, _MOST_IN_FLIGHT)
    yield from within("unsent", len(request.unsent), 0, _MOST_IN_FLIGHT)
    yield from within("unsent", min(request.unsent, default=1), 1)
    yield from within("after", request.after, 0)
    yield from within("audience.user_ids", len(request.audience.user_ids), 0, _MOST_NAMED)


@violations.register
def _(request: db.CloseBroadcastRequest) -> Violations:
    yield from _known(request)


def _known(
    request: (
        db.BeginBroadcastRequest
        | db.CancelBroadcastRequest
        | db.AdvanceBroadcastRequest
        | db.CloseBroadcastRequest
    ),
) -> Violations:
    yield from within("bot_id", request.bot_id, 1)
    yield from within("message_id", request.message_id, 1)


def _of_a_user(request: db.BeginBroadcastRequest | db.CancelBroadcastRequest) -> Violations:
    yield from _known(request)
    yield from not_zero("user_id", request.user_id)
