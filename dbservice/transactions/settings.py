"""What users have chosen for all of their pictures."""

from sqlalchemy import delete

from dbservice.models import UserSettings
from dbservice.store import Transaction
from dbservice.transactions import limits
from protos.lookalike.db.v1 import db_pb2 as db


def get(transaction: Transaction, request: db.GetSettingsRequest) -> db.GetSettingsResponse:
    """What a user has chosen."""
    return db.GetSettingsResponse(settings=chosen(transaction, request.bot_id, request.user_id))


def change(
    transaction: Transaction, request: db.ChangeSettingsRequest
) -> db.ChangeSettingsResponse:
    """Records what a user chooses.

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
    )
    transaction.session.merge(row)
    return db.ChangeSettingsResponse(settings=settings)


def chosen(transaction: Transaction, bot_id: int, user_id: int) -> db.UserSettings:
    """What a user has chosen; unspecified or 0 where nothing."""
    row = transaction.session.get(UserSettings, (bot_id, user_id))
    return (
        db.UserSettings() if row is None else db.UserSettings(dial=row.dial, pictures=row.pictures)
    )


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes what a user has chosen."""
    theirs = delete(UserSettings).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)
