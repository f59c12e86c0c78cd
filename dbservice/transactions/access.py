"""Whose a bot is, whom its owner lets in by invites, and who is banned; a ban wins."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, select

from dbservice import messages
from dbservice.errors import Reason, ServiceError, not_found
from dbservice.models import Ban, Invite, Member, Owner
from dbservice.store import Transaction
from protos.lookalike.db.v1 import db_pb2 as db

MOST_INVITES = 100
"""That are still good."""

MOST_BANS = 10_000

_MOST_SPENT = 200
"""Invites that are no longer good; who opens an older one is told that it is unknown."""

_SECRET_BYTES = 16


def get(transaction: Transaction, request: db.GetAccessRequest) -> db.GetAccessResponse:
    """What is kept of a user's access."""
    session, bot_id = transaction.session, request.bot_id
    owner = owner_of(transaction, bot_id)
    return db.GetAccessResponse(
        owned=owner is not None,
        owner=owner == request.user_id,
        member=session.get(Member, (bot_id, request.user_id)) is not None,
        banned=any(is_banned(transaction, bot_id, i) for i in (request.user_id, request.chat_id)),
    )


def claim(transaction: Transaction, request: db.ClaimBotRequest) -> db.ClaimBotResponse:
    """Makes the user the owner if there is none; a banned one never."""
    transaction.take_turn("access", request.bot_id)
    owner = transaction.session.get(Owner, request.bot_id)
    if owner is None and not is_banned(transaction, request.bot_id, request.user_id):
        owner = Owner(bot_id=request.bot_id, user_id=request.user_id, claimed_at=transaction.now)
        transaction.session.add(owner)
    return db.ClaimBotResponse(owner=owner is not None and owner.user_id == request.user_id)


def invite(transaction: Transaction, request: db.CreateInviteRequest) -> db.CreateInviteResponse:
    """Makes an invite.

    Raises:
        ServiceError: LIST_FULL.
    """
    session = transaction.session
    transaction.take_turn("access", request.bot_id)
    of_bot = session.scalars(
        select(Invite).where(Invite.bot_id == request.bot_id).order_by(Invite.number.desc())
    ).all()
    spent = [row for row in of_bot if _spent(transaction, row)]
    if len(of_bot) - len(spent) >= MOST_INVITES:
        raise ServiceError(Reason.LIST_FULL, "There are as many invites as there may be.")
    for row in spent[_MOST_SPENT:]:
        session.delete(row)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    row = Invite(
        bot_id=request.bot_id,
        secret_sha256=_sha256(secret),
        max_uses=request.max_uses,
        uses=0,
        expires_at=transaction.now + timedelta(seconds=request.lifetime_seconds),
    )
    session.add(row)
    session.flush()
    return db.CreateInviteResponse(invite=messages.invite(row), secret=secret)


def invites(transaction: Transaction, request: db.ListInvitesRequest) -> db.ListInvitesResponse:
    """Those that are still good."""
    of_bot = select(Invite).where(Invite.bot_id == request.bot_id).order_by(Invite.number.desc())
    good = (row for row in transaction.session.scalars(of_bot) if not _spent(transaction, row))
    return db.ListInvitesResponse(invites=map(messages.invite, good))


def revoke(transaction: Transaction, request: db.RevokeInviteRequest) -> db.RevokeInviteResponse:
    """Revokes an invite.

    Raises:
        ServiceError: NOT_FOUND.
    """
    row = transaction.session.get(Invite, request.id, with_for_update=True)
    if row is None or row.bot_id != request.bot_id:
        raise not_found("invite")
    row.revoked_at = row.revoked_at or transaction.now
    return db.RevokeInviteResponse()


def redeem(transaction: Transaction, request: db.RedeemInviteRequest) -> db.RedeemInviteResponse:
    """Lets the user in, if the invite is good."""
    session, bot_id, user_id = transaction.session, request.bot_id, request.user_id
    if is_banned(transaction, bot_id, user_id):
        return db.RedeemInviteResponse(redemption=db.REDEMPTION_BANNED)
    if session.get(Member, (bot_id, user_id)) is not None:
        return db.RedeemInviteResponse(redemption=db.REDEMPTION_MEMBER)
    # A lookup by hash: how long it takes tells nothing of the secret.
    this = (Invite.secret_sha256 == _sha256(request.secret), Invite.bot_id == bot_id)
    row = session.scalar(select(Invite).where(*this).with_for_update())
    spent = db.REDEMPTION_UNKNOWN if row is None else _spent(transaction, row)
    if row is None or spent is not None:
        return db.RedeemInviteResponse(redemption=spent)
    row.uses += 1
    session.add(Member(bot_id=bot_id, user_id=user_id, joined_at=transaction.now))
    return db.RedeemInviteResponse(redemption=db.REDEMPTION_ACCEPTED)


def ban(transaction: Transaction, request: db.BanUserRequest) -> db.BanUserResponse:
    """Bans a user who is not the owner.

    Raises:
        ServiceError: LIST_FULL.
    """
    session, bot_id, user_id = transaction.session, request.bot_id, request.user_id
    transaction.take_turn("access", bot_id)
    if owner_of(transaction, bot_id) == user_id:
        return db.BanUserResponse()
    if is_banned(transaction, bot_id, user_id):
        return db.BanUserResponse(banned=True)
    bans = select(func.count()).select_from(Ban).where(Ban.bot_id == bot_id)
    if (session.scalar(bans) or 0) >= MOST_BANS:
        raise ServiceError(Reason.LIST_FULL, "As many are banned as may be.")
    session.add(Ban(bot_id=bot_id, user_id=user_id, banned_at=transaction.now))
    return db.BanUserResponse(banned=True, changed=True)


def unban(transaction: Transaction, request: db.UnbanUserRequest) -> db.UnbanUserResponse:
    """Lifts a ban."""
    row = transaction.session.get(Ban, (request.bot_id, request.user_id))
    if row is not None:
        transaction.session.delete(row)
    return db.UnbanUserResponse(changed=row is not None)


def forget(transaction: Transaction, bot_id: int, user_id: int) -> None:
    """Deletes that a user was invited. A ban stays, or who is banned would be in again."""
    theirs = delete(Member).filter_by(bot_id=bot_id, user_id=user_id)
    transaction.session.execute(theirs)


def owner_of(transaction: Transaction, bot_id: int) -> int | None:
    """The user whose a bot is; None: nobody's so far."""
    owner = transaction.session.get(Owner, bot_id)
    return None if owner is None else owner.user_id


def is_banned(transaction: Transaction, bot_id: int, user_id: int) -> bool:
    """Whether a user is banned, or a chat."""
    return transaction.session.get(Ban, (bot_id, user_id)) is not None


def _spent(transaction: Transaction, row: Invite) -> db.Redemption | None:
    """Why an invite is no longer good, if so."""
    if row.revoked_at is not None:
        return db.REDEMPTION_REVOKED
    if row.uses >= row.max_uses:
        return db.REDEMPTION_USED_UP
    return db.REDEMPTION_EXPIRED if row.expires_at <= transaction.now else None


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
