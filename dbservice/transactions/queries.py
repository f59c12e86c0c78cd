"""Which generations: the selections that the actions are built from."""

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, contains_eager

from dbservice.errors import not_found, not_owner
from dbservice.models import Forgetting, Generation
from dbservice.validation.rules import InChat
from protos.lookalike.db.v1 import db_pb2 as db


def with_photo(*conditions: ColumnElement[bool]) -> Select[Generation]:
    """Generations with their photos, by conditions on the generations."""
    return (
        select(Generation)
        .join(Generation.photo)
        .options(contains_eager(Generation.photo))
        .where(*conditions)
    )


def of_user_in_chat(
    request: db.CancelGenerationsRequest | db.GetStatusRequest | db.ListHistoryRequest,
) -> tuple[ColumnElement[bool], ...]:
    """The conditions that make them the user's generations in the chat."""
    return (
        Generation.bot_id == request.bot_id,
        Generation.chat_id == request.chat_id,
        Generation.user_id == request.user_id,
        ~exists().where(Forgetting.bot_id == request.bot_id, Forgetting.user_id == request.user_id),
    )


def is_being_forgotten(session: Session, bot_id: int, user_id: int) -> bool:
    """Whether a user is being forgotten, so that nothing of theirs is there any more."""
    return session.get(Forgetting, (bot_id, user_id)) is not None


def find(session: Session, generation_id: str) -> Generation | None:
    """The generation of this id, if there is one."""
    return session.scalars(with_photo(Generation.id == generation_id)).one_or_none()


def get(session: Session, generation_id: str) -> Generation:
    """The generation of this id.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = find(session, generation_id)
    if row is None:
        raise not_found("generation")
    return row


def owned(
    session: Session, generation_id: str, request: InChat, *, administrator: bool = False
) -> Generation:
    """The generation of this id, if it is the user's, and in the chat.

    For whoever administers the chat it may be another's.

    Raises:
        ServiceError: NOT_FOUND or NOT_OWNER.
    """
    row = get(session, generation_id)
    if (row.bot_id, row.chat_id) != (request.bot_id, request.chat_id):
        raise not_found("generation")
    if is_being_forgotten(session, row.bot_id, row.user_id):
        raise not_found("generation")
    if row.user_id != request.user_id and not administrator:
        raise not_owner("generation")
    return row
