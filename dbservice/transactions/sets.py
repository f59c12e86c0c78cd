"""Sets: generations that make several pictures, each a member with a row of its own once it ended.

The set alone is leased, counted, shown and delivered; its members are closed from the beginning.
"""

from typing import Final

from sqlalchemy import select

from dbservice import messages
from dbservice.errors import invalid
from dbservice.models import Generation, member_id
from dbservice.store import Transaction
from dbservice.transactions import deletions, sent
from dbservice.transitions import CANCELLED, ENDED, FAILED, FINISHED, REFUSED
from protos.lookalike.db.v1 import db_pb2 as db

_WORST: Final = (FAILED, REFUSED)
"""How a set ends of which no picture succeeded: as its members did, or as the worst of them."""


def target(transaction: Transaction, row: Generation, place: int) -> Generation:
    """What an outcome is of: the generation itself, or the member at a place of the set.

    Raises:
        ServiceError: INVALID_ARGUMENT, for a place that there is not.
    """
    if row.pictures == 1:
        if place:
            raise invalid(("info.place", "must be 0: it is no set"))
        return row
    if not 1 <= place <= row.pictures:
        raise invalid(("info.place", f"must be 1 to {row.pictures}"))
    for member in row.members:
        if member.place == place:
            return member
    member = messages.new_member(row, member_id(row.id, place), place, transaction.now)
    member.n = messages.next_n(transaction.session, row.photo_id)
    row.members.append(member)
    row.members.sort(key=lambda each: each.place)
    transaction.session.flush()
    return member


def settle(row: Generation) -> None:
    """Ends a set of which every picture has ended."""
    if row.pictures == 1 or row.state in {FINISHED, *ENDED} or len(row.members) < row.pictures:
        return
    if any(member.image_key is not None for member in row.members):
        row.state = FINISHED
        return
    first = min(row.members, key=lambda member: _WORST.index(member.state))
    row.state = first.state
    row.error_code, row.error_message = first.error_code, first.error_message


def follow(transaction: Transaction, row: Generation) -> None:
    """Has what a set has finished end as the set did; of a cancelled one nothing is kept."""
    if row.pictures == 1 or row.state not in ENDED:
        return
    for member in row.members:
        if member.state != FINISHED:
            continue
        member.state = row.state
        member.error_code, member.error_message = row.error_code, row.error_message
        if row.state == CANCELLED:
            deletions.delete_picture(transaction, member)


def is_unfinished(transaction: Transaction, set_id: str | None) -> bool:
    """Whether a picture is a member of a set, of this id, that is not closed."""
    if set_id is None:
        return False
    unclosed = select(Generation.number).where(
        Generation.id == set_id, Generation.closed_at.is_(None)
    )
    return transaction.session.scalar(unclosed) is not None


def take_album(transaction: Transaction, row: Generation, patch: db.GenerationPatch) -> None:
    """Notes which message shows which member.

    Raises:
        ServiceError: INVALID_ARGUMENT, for one that is no member; MESSAGE_TAKEN.
    """
    members = {member.id: member for member in row.members} if patch.album else {}
    for shown in patch.album:
        member = members.get(shown.generation_id)
        if member is None:
            raise invalid(("patch.album", "must name members of the set"))
        sent.take_message(transaction, member, shown.message_id, db.MESSAGE_KIND_PICTURE)
        member.result_message_id = shown.message_id
        member.picture_file_id = shown.file_id
        member.user_notified = True
