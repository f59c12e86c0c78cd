"""kill -9 in the midst of /forget: whoever asked is told once, and nothing of theirs is left."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import EN, ask, cat, delivered, labels, offering, press
from tests.sandbox.client import People, ShownMessage
from tests.stack import occupied
from tests.waiting import eventually

SAID = EN.privacy

MOMENTS = {
    "wish_recorded": {"method": "answerCallbackQuery"},
    "tidying_up": {"method": "deleteMessage"},
    "told": {"method": "editMessageText", "contains": SAID.forgotten},
}
"""The call that Telegram has carried out, and whose answer the bot waits for, as it is killed."""


def count(database: Path, query: str, parameter: object) -> int:
    with closing(sqlite3.connect(database)) as rows:
        return int(rows.execute(query, (parameter,)).fetchone()[0])


def rows_of(stack: Stack, user: int) -> dict[str, int]:
    """How much is left of a user, by its table."""
    ours, queue = stack.home / "dbservice" / "lookalike.db", stack.home / "generator" / "jobs.db"
    tables = ("photos", "generations", "forgettings", "kept_of_users", "user_settings")
    found = {
        table: count(ours, f"SELECT count(*) FROM {table} WHERE user_id = ?", user)
        for table in tables
    }
    jobs = "SELECT count(*) FROM jobs WHERE owner = ?"
    return found | {"jobs": count(queue, jobs, f"telegram:{user}")}


def stored(stack: Stack) -> set[Path]:
    folders = (stack.home / "dbservice" / "blobs", stack.home / "generator" / "results")
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


async def in_line(people: People, stack: Stack, picture: ShownMessage) -> None:
    """Asks for another one of a picture, which is to start from the photo, and waits."""
    chat = picture.chat_id
    await press(people, await ask(people, chat, "/settings"), "Sibling")
    await press(people, picture, EN.pictures.closer_button)
    await people.wait_for(chat, lambda shown: [m for m in shown if EN.cancel_button in labels(m)])
    assert rows_of(stack, chat) == {
        "photos": 1,
        "generations": 2,
        "forgettings": 0,
        "kept_of_users": 1,
        "user_settings": 1,
        "jobs": 1,
    }


async def says(people: People, chat: int, text: str) -> ShownMessage:
    found = await people.wait_for(
        chat, lambda shown: [m for m in shown if m.from_bot and m.text == text], 60
    )
    return found[0]


@pytest.mark.long
@pytest.mark.parametrize("victim", ["bot", "dbservice", "generator"])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_it_is_carried_through(
    people: People, stack: Stack, moment: str, victim: str
) -> None:
    chat, before = await people.add_user(), stored(stack)
    picture = await delivered(people, await people.send_photo(chat, cat()))
    picture = await offering(people, picture, EN.pictures.closer_button)
    with occupied(stack):
        await in_line(people, stack, picture)
        question = await ask(people, chat, "/forget")
        held = await people.add_fault("hold", **MOMENTS[moment])
        # It cannot end before Telegram takes this edit, so that there is a meanwhile to test.
        await people.add_fault(
            "http_error", method="editMessageText", contains=SAID.forgotten, status=502, count=1000
        )
        await press(people, question, SAID.forget_button)
        await people.wait_for_held(held, 1)
        stack.kill(victim)
        stack.start(victim)
        await people.send_photo(chat, cat())
        await says(people, chat, EN.ending("being-forgotten"))
        await people.clear_faults()

        async def over() -> bool | None:
            return not any(rows_of(stack, chat).values()) or None

        await eventually(over, 60)
    assert (await says(people, chat, SAID.forgotten)).id == question.id
    messages = await people.messages(chat)
    assert [m.text for m in messages].count(SAID.forgotten) == 1
    assert not [m for m in messages if EN.cancel_button in labels(m)]
    assert stored(stack) <= before
    await delivered(people, await people.send_photo(chat, cat()))
    assert rows_of(stack, chat)["photos"] == 1
