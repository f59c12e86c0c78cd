"""Which generations: the selections that the actions are built from."""

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, contains_eager

from dbservice.errors import not_found, not_owner
from dbservice.models import Forgetting, Generation, Photo
from dbservice.validation.rules import InChat
from protos.lookalike.db.v1 import db_pb2 as db


def to_write(rows: Select[Generation], *, skip_locked: bool = False) -> Select[Generation]:
    """The same rows with their photos, locked until the transaction ends.

    The photo's lock comes first and is that of all of its generations: whoever writes to one may
    read the others. Whatever else is locked comes after it, so that nobody waits in a circle.
    """
    return rows.with_for_update(of=(Photo, Generation), key_share=True, skip_locked=skip_locked)


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
    """The generation of this id, to be written.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = session.scalars(to_write(with_photo(Generation.id == generation_id))).one_or_none()
    if row is None:
        raise not_found("generation")
    return row


def owned(
    session: Session, generation_id: str, request: InChat, *, administrator: bool = False
) -> Generation:
    """The generation of this id, if it is the user's, and in the chat, to be written.

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
