"""A broadcast of the services together: whatever is killed, everybody gets it once."""

import pytest

from bot.clients.dbservice import DatabaseClient
from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from protos.lookalike.db.v1 import db_pb2 as db
from tests.end_to_end.chats import EN, ask, labels
from tests.end_to_end.conftest import ADMIN
from tests.sandbox.client import People, ShownMessage
from tests.stack import TOKEN

SAID = EN.broadcast
BOT = int(TOKEN.partition(":")[0])


async def members(stack: Stack, people: People, number: int) -> list[int]:
    """People who were let in by a link, and have opened the chat."""
    database = DatabaseClient(stack.address("dbservice"), service_token(stack.home))
    made = await database.create_invite(
        db.CreateInviteRequest(bot_id=BOT, max_uses=number, lifetime_seconds=600)
    )
    users = []
    for _ in range(number):
        users.append(await people.add_user())
        await ask(people, users[-1], "/status")
        await database.redeem_invite(
            db.RedeemInviteRequest(bot_id=BOT, user_id=users[-1], secret=made.secret)
        )
    await database.disconnect()
    return users


async def question(people: People, text: str) -> ShownMessage:
    await people.add_user("Ada", user_id=ADMIN)
    sent = await people.send_text(ADMIN, f"/broadcast {text}")

    def look(messages: list[ShownMessage]) -> list[ShownMessage]:
        return [m for m in messages if m.id > sent.id and SAID.do_not_button in labels(m)]

    return (await people.wait_for(ADMIN, look))[0]


@pytest.mark.long
@pytest.mark.parametrize("victim", ["bot", "dbservice"])
async def test_everybody_gets_it_once_whatever_is_killed(
    people: People, stack: Stack, victim: str
) -> None:
    users = await members(stack, people, 12)
    text = f"News, and then {victim} dies"
    asked = await question(people, text)
    # Telegram has it, and the bot does not know: of some, at the beginning and later.
    faults = [
        await people.add_fault("hold", method="copyMessage", chat_id=users[n]) for n in (1, 9)
    ]
    await people.press(asked, labels(asked)[0])
    for fault in faults:
        await people.wait_for_fault(fault)
        stack.kill(victim)
        await people.release(fault)
        stack.start(victim)

    def ended(messages: list[ShownMessage]) -> bool:
        return any(m.id == asked.id and m.text.startswith("Sent to") for m in messages)

    await people.wait_for(ADMIN, ended, 120)
    for user in users:
        got = [m for m in await people.messages(user) if m.from_bot and m.text == text]
        assert len(got) == 1
        assert not [m for m in await people.messages(user) if m.text == "…"]
