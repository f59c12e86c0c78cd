"""How many generations are in which state, and since when; of all bots."""

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import func, select

from dbservice.models import Generation
from dbservice.store import Transaction
from dbservice.transitions import TRANSITIONS, name


def unfinished(transaction: Transaction) -> Mapping[str, tuple[int, float]]:
    """Those that are not closed: by each state there is, how many, and the oldest one's seconds."""
    found = transaction.session.execute(
        select(Generation.state, func.count(), func.min(Generation.created_at))
        .where(Generation.closed_at.is_(None))
        .group_by(Generation.state)
    ).all()
    counts: Mapping[int, int] = {state: count for state, count, _ in found}
    ages: Mapping[int, timedelta] = {state: transaction.now - oldest for state, _, oldest in found}
    return {
        name(state): (
            counts.get(state, 0),
            max(0.0, ages.get(state, timedelta()).total_seconds()),  # the clock was set back
        )
        for state in TRANSITIONS
    }
