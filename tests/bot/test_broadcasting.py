"""A broadcast: cut short anywhere it goes on, at its pace, and nobody gets it twice."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from bot import keyboards
from bot.broadcasting import Broadcasting
from bot.messenger import Messenger
from bot.refusals import TelegramUnavailable
from bot.work.search import PROBE
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.chaos import hurry
from tests.bot.desk import BOT, Desk
from tests.bot.front import EN
from tests.bot.mortal import Killed, Process
from tests.sandbox.client import ShownMessage

pytestmark = pytest.mark.slow

SAID = EN.broadcast
PEOPLE = 4


class Time:
    """Passes when nobody is due before."""

    def __init__(self) -> None:
        self.now = 100.0
        self._due: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        due = self.now + seconds
        self._due.append(due)
        await asyncio.sleep(0)
        while min(self._due) < due:  # noqa: ASYNC110, somebody else moves it
            await asyncio.sleep(0)
        self._due.remove(due)
        self.now = max(self.now, due)


async def join(desk: Desk, number: int, *, chats: bool = True) -> list[int]:
    """So many people who were invited, and have opened the chat."""
    made = await desk.database.create_invite(
        db.CreateInviteRequest(bot_id=BOT, max_uses=number, lifetime_seconds=600)
    )
    users = []
    for n in range(number):
        user = await desk.people.add_user(f"Member {n}") if chats else 50_000 + n
        if chats:
            await desk.people.send_text(user, "hello")
        users.append(user)
        await desk.database.redeem_invite(
            db.RedeemInviteRequest(bot_id=BOT, user_id=user, secret=made.secret)
        )
    return users


async def ask(desk: Desk, text: str, total: int = PEOPLE) -> ShownMessage:
    """The question of a /broadcast with this text, whose first button is pressed."""
    admin, messenger = desk.chat, desk.services.messenger
    await desk.people.send_text(admin, f"/broadcast {text}")
    shown = await messenger.reply(admin, None, text, keyboards.no_news(0, EN))
    sent = await messenger.reply(admin, shown.message_id, SAID.question(total))
    begun = await desk.database.begin_broadcast(
        db.BeginBroadcastRequest(
            bot_id=BOT,
            user_id=admin,
            message_id=sent.message_id,
            source_message_id=shown.message_id,
            language_code="en",
            total=total,
        )
    )
    assert begun.HasField("broadcast")
    return next(m for m in await desk.people.messages(admin) if m.id == sent.message_id)


async def is_open(desk: Desk) -> bool:
    found = await desk.database.get_broadcast(db.GetBroadcastRequest(bot_id=BOT))
    return found.HasField("broadcast")


async def go_on(desk: Desk, process: Process, time: Time | None = None) -> None:
    """Goes on until the broadcast has ended, or the process dies with all that it does."""
    time = time or Time()
    broadcasting = Broadcasting(process.services, BOT, time, time.sleep)
    try:
        while await is_open(desk):
            await broadcasting.run()
            await time.sleep(1.0)
    except Killed:
        dying = [task for task in asyncio.all_tasks() if _is_of_it(task)]
        await asyncio.gather(*dying, return_exceptions=True)


def _is_of_it(task: "asyncio.Task[Any]") -> bool:
    return "Broadcasting." in str(task.get_coro())


async def news(desk: Desk, user: int, text: str) -> list[ShownMessage]:
    return [m for m in await desk.people.messages(user) if m.from_bot and m.text == text]


async def ending(desk: Desk, question: ShownMessage) -> str:
    (shown,) = [m for m in await desk.people.messages(desk.chat) if m.id == question.id]
    assert not shown.buttons
    return shown.text


async def no_probes(desk: Desk, *users: int) -> None:
    for user in users:
        assert not await news(desk, user, PROBE)


def done(**counts: Any) -> str:
    return SAID.summary(db.Broadcast(state=db.BROADCAST_STATE_DONE, **counts))


@pytest.mark.long
async def test_killed_between_any_two_calls_everybody_gets_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    monkeypatch.setattr("bot.broadcasting._AT_ONCE", 3)
    users = await join(desk, PEOPLE)
    for calls in itertools.count(1):
        text = f"News no. {calls}"
        question = await ask(desk, text)
        mortal = Process(desk, calls)
        await go_on(desk, mortal)
        has_died = mortal.life.over.is_set()
        if has_died and calls % 3 == 0:  # in the search, too
            await go_on(desk, Process(desk, calls))
        await go_on(desk, Process(desk))
        for user in users:
            assert len(await news(desk, user, text)) == 1
        await no_probes(desk, *users, desk.chat)
        assert await ending(desk, question) == done(sent=PEOPLE)
        if not has_died:
            break
    assert calls > PEOPLE


async def test_answers_that_are_cut_double_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    users = await join(desk, 3)
    question = await ask(desk, "News")
    await desk.people.add_fault("cut", method="copyMessage", count=5)
    await go_on(desk, Process(desk))
    for user in users:
        assert len(await news(desk, user, "News")) == 1
    await no_probes(desk, *users)
    assert await ending(desk, question) == done(sent=3)


async def test_what_telegram_has_not_taken_is_sent_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    users = await join(desk, 3)
    question = await ask(desk, "News")
    await desk.people.add_fault("http_error", method="copyMessage", status=502, count=4)
    await go_on(desk, Process(desk))
    for user in users:
        assert len(await news(desk, user, "News")) == 1
    assert await ending(desk, question) == done(sent=3)


async def test_who_blocks_the_bot_or_wants_none_is_counted(desk: Desk) -> None:
    blocked, unwilling, other = await join(desk, 3)
    await desk.people.block(blocked)
    await desk.database.change_settings(
        db.ChangeSettingsRequest(
            bot_id=BOT, user_id=unwilling, settings=db.UserSettings(news=False)
        )
    )
    question = await ask(desk, "News")
    await go_on(desk, Process(desk))
    assert [len(await news(desk, user, "News")) for user in (blocked, unwilling, other)] == [
        0,
        0,
        1,
    ]
    assert await ending(desk, question) == done(sent=1, blocked=1, left_out=1)


async def test_a_message_that_is_gone_ends_it(desk: Desk) -> None:
    (user,) = await join(desk, 1)
    question = await ask(desk, "News")
    (source,) = await news(desk, desk.chat, "News")
    await desk.people.delete(source)
    await go_on(desk, Process(desk))
    assert not await news(desk, user, "News")
    gone = db.Broadcast(state=db.BROADCAST_STATE_GONE)
    assert await ending(desk, question) == SAID.summary(gone)


class _Telegram:
    """Takes copies, and notes when; `refuse` says which it does not take."""

    def __init__(self, time: Time, refuse: Callable[[int], Exception | None]) -> None:
        self._time = time
        self._refuse = refuse
        self.sent: list[tuple[float, int]] = []
        self.shown: list[str] = []

    async def copy(self, chat_id: int, *_more: object) -> int:
        if error := self._refuse(chat_id):
            raise error
        self.sent.append((self._time.now, chat_id))
        await asyncio.sleep(0.001)
        return len(self.sent)

    async def edit(self, _chat_id: int, _message_id: int, text: str, *_more: object) -> bool:
        self.shown.append(text)
        return True

    rewrite = edit


async def over(desk: Desk, time: Time, refuse: Callable[[int], Any] = lambda _: None) -> _Telegram:
    """A broadcast from its beginning to its end."""
    telegram = _Telegram(time, refuse)
    process = Process(desk)
    process.services = replace(process.services, messenger=cast("Messenger", telegram))
    await go_on(desk, process, time)
    return telegram


async def test_at_most_25_go_out_in_a_second(desk: Desk) -> None:
    users = await join(desk, 100, chats=False)
    await ask(desk, "News")
    telegram = await over(desk, time := Time())
    assert sorted(user for _, user in telegram.sent) == users
    times = [at for at, _ in telegram.sent]
    for first, last in zip(times, times[25:], strict=False):
        assert last - first >= 0.999
    assert times[-1] - times[0] < 5
    assert time.now - times[-1] < 2
    assert telegram.shown[0] == SAID.progress(db.Broadcast(total=PEOPLE))
    assert telegram.shown[-1] == done(sent=100)


async def test_a_429_is_honoured_by_all(desk: Desk) -> None:
    users = await join(desk, 30, chats=False)
    await ask(desk, "News")
    time, refused = Time(), list[float]()

    def refuse(user: int) -> Exception | None:
        if user != users[12] or refused:
            return None
        refused.append(time.now)
        return TelegramUnavailable("Telegram asks us to wait", 30.0, not_done=True)

    telegram = await over(desk, time, refuse)
    assert sorted(user for _, user in telegram.sent) == users
    (at,) = refused
    meanwhile = [user for when, user in telegram.sent if at < when < at + 30]
    assert not meanwhile


async def test_cancelled_in_a_long_wait_it_ends_at_once(desk: Desk) -> None:
    await join(desk, 5, chats=False)
    question = await ask(desk, "News")
    time, cancelling = Time(), list["asyncio.Task[db.Broadcast]"]()
    request = db.CancelBroadcastRequest(bot_id=BOT, user_id=desk.chat, message_id=question.id)

    def refuse(_user: int) -> Exception:
        cancelling.append(asyncio.create_task(desk.database.cancel_broadcast(request)))
        return TelegramUnavailable("Telegram asks us to wait", 10_000.0, not_done=True)

    began = time.now
    telegram = await over(desk, time, refuse)
    await asyncio.gather(*cancelling)
    assert not telegram.sent
    assert time.now - began < 1000
    stopped = db.Broadcast(state=db.BROADCAST_STATE_CANCELLED)
    assert telegram.shown[-1] == SAID.summary(stopped)


async def test_a_process_that_stops_leaves_the_rest_to_the_next(desk: Desk) -> None:
    users = await join(desk, 30)
    await ask(desk, "News")
    process, time = Process(desk), Time()
    broadcasting = Broadcasting(process.services, BOT, time, time.sleep)
    copy = process.services.messenger.copy
    count = itertools.count(1)

    async def stopping(*args: Any) -> int:
        if next(count) == 15:
            broadcasting.stop()
        return await copy(*args)

    process.services.messenger.copy = stopping  # type: ignore[assignment, method-assign]
    await broadcasting.run()
    so_far = [len(await news(desk, user, "News")) for user in users]
    assert 0 < sum(so_far) < 30
    await go_on(desk, Process(desk))
    assert [len(await news(desk, user, "News")) for user in users] == [1] * 30
