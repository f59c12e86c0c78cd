"""What users have chosen for all of their pictures, and how they are spoken to."""

from sqlalchemy import delete, select, update

from dbservice.models import Generation, Photo, UserSettings
from dbservice.store import Transaction
from dbservice.transactions import limits
from protos.lookalike.db.v1 import db_pb2 as db


def get(transaction: Transaction, request: db.GetSettingsRequest) -> db.GetSettingsResponse:
    """What a user has chosen."""
    return db.GetSettingsResponse(settings=chosen(transaction, request.bot_id, request.user_id))


def change(
    transaction: Transaction, request: db.ChangeSettingsRequest
) -> db.ChangeSettingsResponse:
    """Records what a user chooses. What is under way goes on in a language that they choose.

    Raises:
        ServiceError: BEING_FORGOTTEN.
    """
    limits.refuse_forgotten(transaction, request.bot_id, request.user_id)
    settings = chosen(transaction, request.bot_id, request.user_id)
    settings.MergeFrom(request.settings)
    row = UserSettings(
        bot_id=request.bot_id,
        user_id=request.user_id,
        dial=settings.dial,
        pictures=settings.pictures,
        language=settings.language,
        time_zone=settings.time_zone,
        news=settings.news or not settings.HasField("news"),
    )
    transaction.session.merge(row)
    if request.settings.HasField("language"):
        _speak(transaction, request, settings.language or request.language_code)
    return db.ChangeSettingsResponse(settings=_message(row))


def chosen(transaction: Transaction, bot_id: int, user_id: int) -> db.UserSettings:
    """What a user has chosen; unspecified, 0 or empty where nothing."""
    row = transaction.session.get(UserSettings, (bot_id, user_id))
    return db.UserSettings() if row is None else _message(row)


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
    )


def _speak(transaction: Transaction, request: db.ChangeSettingsRequest, language: str) -> None:
    unclosed = select(Generation.photo_id).where(
        Generation.bot_id == request.bot_id,
        Generation.user_id == request.user_id,
        Generation.closed_at.is_(None),
    )
    theirs = update(Photo).where(Photo.id.in_(unclosed)).values(language_code=language)
    transaction.session.execute(theirs, execution_options={"synchronize_session": False})
