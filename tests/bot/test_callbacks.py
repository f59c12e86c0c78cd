"""Button data is short enough for Telegram and says the same when read back."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from bot.callbacks import (
    CANCEL,
    CARD,
    FIRST_STYLE,
    FROM_FILE,
    GUESS,
    HISTORY,
    NEWS,
    NO_NEWS,
    SEND,
    CardAction,
    cancel_data,
    card_data,
    first_style_data,
    from_file_data,
    generation_id,
    guess_data,
    history_data,
    is_of_card,
    news_data,
    no_news_data,
    send_data,
)
from bot.recipes.styles import STYLES

OWNERS = st.integers(
    min_value=-(10**13) + 1, max_value=2**52
)  # Telegram promises 52 bits; a group may be one as well
MESSAGES = st.integers(1, 2**53 - 1)
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


@given(OWNERS, CURSORS)
def test_history(user: int, cursor: str) -> None:
    data = history_data(user, cursor)
    match = HISTORY.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert match.groups() == (str(user), cursor)


@given(OWNERS, MESSAGES)
def test_from_file(owner: int, message: int) -> None:
    data = from_file_data(owner, message)
    match = FROM_FILE.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert (int(match["owner"]), int(match["message"])) == (owner, message)


@given(MESSAGES, st.integers(0, 10**9 - 1))
def test_send(message: int, total: int) -> None:
    data = send_data(message, total)
    match = SEND.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert (int(match[1]), int(match[2])) == (message, total)


@given(st.integers(1, 2**52), st.sampled_from(["on", "off"]))
def test_news(user: int, answer: str) -> None:
    data = news_data(user, wanted=answer == "on")
    match = NEWS.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert match.groups() == (answer, str(user))


@given(MESSAGES)
def test_no_news(broadcast: int) -> None:
    data = no_news_data(broadcast)
    assert len(data.encode()) <= 64
    assert NO_NEWS.match(data)


@given(st.sampled_from(["", *STYLES]), OWNERS)
def test_first_style(style: str, owner: int) -> None:
    data = first_style_data(style, owner)
    match = FIRST_STYLE.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert match.groups() == (style, str(owner))


@given(st.sampled_from(CardAction), OWNERS, st.uuids())
def test_card(action: CardAction, owner: int, given_id: uuid.UUID) -> None:
    data = card_data(action, owner, str(given_id))
    match = CARD.match(data)
    assert len(data.encode()) <= 64
    assert match is not None
    assert (match["action"], int(match["owner"])) == (action, owner)
    assert generation_id(match["id"]) == str(given_id)
    assert is_of_card(data, owner)
    assert not is_of_card(data, owner + 1)
