"""What users have chosen for all of their pictures, and how they are spoken to; and groups.

A group's settings are those of its id, which is negative, as a user's is not.
"""

from sqlalchemy import ColumnElement, and_, delete, select, update

from dbservice.models import Generation, Photo, UserSettings
from dbservice.store import Transaction
from dbservice.transactions import limits
from protos.lookalike.db.v1 import db_pb2 as db


def get(transaction: Transaction, request: db.GetSettingsRequest) -> db.GetSettingsResponse:
    """What a user has chosen, or what counts for them in a chat."""
    where = request.chat_id or request.user_id
    settings = in_chat(transaction, request.bot_id, request.user_id, where)
    return db.GetSettingsResponse(settings=settings)


def change(
    transaction: Transaction, request: db.ChangeSettingsRequest
) -> db.ChangeSettingsResponse:
    """Records what is chosen. What is under way goes on in a language that is chosen.

    Raises:
        ServiceError: BEING_FORGOTTEN.
    """
    limits.refuse_forgotten(transaction, request.bot_id, request.user_id)
    settings = chosen(transaction, request.bot_id, request.user_id)
    if request.reset:
        settings = db.UserSettings()
    settings.MergeFrom(request.settings)
    row = UserSettings(
        bot_id=request.bot_id,
        user_id=request.user_id,
        dial=settings.dial,
        pictures=settings.pictures,
        language=settings.language,
        time_zone=settings.time_zone,
        news=settings.news or not settings.HasField("news"),
        style=settings.style,
    )
    transaction.session.merge(row)
    if request.settings.HasField("language"):
        # Where a group chooses none, each goes on to be spoken to as before.
        telegrams = "" if request.user_id < 0 else request.language_code
        if language := settings.language or telegrams:
            _speak(transaction, request, language)
    return db.ChangeSettingsResponse(settings=_message(row))


def chosen(transaction: Transaction, bot_id: int, user_id: int) -> db.UserSettings:
    """What a user has chosen; unspecified, 0 or empty where nothing."""
    row = transaction.session.get(UserSettings, (bot_id, user_id))
    return db.UserSettings() if row is None else _message(row)


def in_chat(transaction: Transaction, bot_id: int, user_id: int, chat_id: int) -> db.UserSettings:
    """What counts for a user in a chat: what a group has chosen, else what they have."""
    settings = chosen(transaction, bot_id, user_id)
    if chat_id != user_id:
        settings.MergeFrom(chosen(transaction, bot_id, chat_id))
    return settings


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes what a user has chosen."""
    theirs = delete(UserSettings).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)


def _message(row: UserSettings) -> db.UserSettings:
    return db.UserSettings(
        dial=row.dial,
        pictures=row.pictures,
        language=row.language or None,
        time_zone=row.time_zone or None,
        news=None if row.news else False,
        style=row.style or None,
    )


def _speak(transaction: Transaction, request: db.ChangeSettingsRequest, language: str) -> None:
    unclosed = select(Generation.photo_id).where(
        Generation.bot_id == request.bot_id,
        _spoken_to(request),
        Generation.closed_at.is_(None),
    )
    theirs = update(Photo).where(Photo.id.in_(unclosed)).values(language_code=language)
    transaction.session.execute(theirs, execution_options={"synchronize_session": False})


def _spoken_to(request: db.ChangeSettingsRequest) -> ColumnElement[bool]:
    """What is said in a language that is chosen: all in a group, or a user's where no group chose.

    What is in a private chat is its user's as well.
    """
    if request.user_id < 0:
        return Generation.chat_id == request.user_id
    others = select(UserSettings.user_id).where(
        UserSettings.bot_id == request.bot_id,
        UserSettings.user_id < 0,
        UserSettings.language != "",
    )
    return and_(Generation.user_id == request.user_id, Generation.chat_id.not_in(others))
