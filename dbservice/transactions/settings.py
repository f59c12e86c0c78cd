"""What users have chosen for all of their pictures."""

from sqlalchemy import delete

from dbservice.models import UserSettings
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db


def get(transaction: Transaction, request: db.GetSettingsRequest) -> db.GetSettingsResponse:
    """What a user has chosen."""
    chosen = dial(transaction, request.bot_id, request.user_id)
    return db.GetSettingsResponse(settings=db.UserSettings(dial=chosen))


def change(
    transaction: Transaction, request: db.ChangeSettingsRequest
) -> db.ChangeSettingsResponse:
    """Records what a user chooses."""
    session, key = transaction.session, (request.bot_id, request.user_id)
    if request.settings.dial:
        row = UserSettings(bot_id=key[0], user_id=key[1], dial=request.settings.dial)
        session.merge(row)
        session.flush()
    return db.ChangeSettingsResponse(settings=db.UserSettings(dial=dial(transaction, *key)))


def dial(transaction: Transaction, bot_id: int, user_id: int) -> db.Dial:
    """The dial of a photo's first picture; unspecified: the user has not chosen any."""
    row = transaction.session.get(UserSettings, (bot_id, user_id))
    return db.DIAL_UNSPECIFIED if row is None else row.dial


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes what a user has chosen."""
    theirs = delete(UserSettings).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)
