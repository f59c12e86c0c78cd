"""Button data is short enough for Telegram and says the same when read back."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from bot.callbacks import (
    CANCEL,
    GUESS,
    HISTORY,
    OPEN,
    cancel_data,
    generation_id,
    guess_data,
    history_data,
    open_data,
)

USERS = st.integers(min_value=1, max_value=2**52)  # Telegram promises 52 bits
CURSORS = st.from_regex(r"\A[a-z0-9]{0,20}\Z")


@given(st.uuids())
def test_cancel(given_id: uuid.UUID) -> None:
    data = cancel_data(str(given_id))
    match = CANCEL.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert generation_id(match.group(1)) == str(given_id)


@given(st.integers(0, 4), st.uuids())
def test_guess(number: int, given_id: uuid.UUID) -> None:
    data = guess_data(number, str(given_id))
    match = GUESS.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert (int(match[1]), generation_id(match[2])) == (number, str(given_id))


@given(USERS, CURSORS)
def test_history(user: int, cursor: str) -> None:
    data = history_data(user, cursor)
    match = HISTORY.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert match.groups() == (str(user), cursor)


@given(USERS, st.uuids())
def test_open(user: int, given_id: uuid.UUID) -> None:
    data = open_data(user, str(given_id))
    match = OPEN.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert int(match.group(1)) == user
    assert generation_id(match.group(2)) == str(given_id)
