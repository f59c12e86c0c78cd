import httpx
import pytest
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden

from tests.sandbox.client import LOOPBACK, People
from tests.sandbox.conftest import TOKEN


async def test_a_bot_writes_only_to_those_who_wrote_first(bot: Bot, people: People) -> None:
    user = await people.add_user()
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(user, "hello")
    await people.send_text(user, "/start")
    await bot.send_message(user, "hello")


@pytest.mark.parametrize(
    ("chat_id", "description"),
    [
        ("", "chat_id is empty"),
        ("77", "chat not found"),
        ("@nobody", "chat not found"),
        ("x", "chat not found"),
        ("-1001234", "chat not found"),
        ("9" * 40, "chat not found"),
    ],
)
async def test_chats_that_are_not_there(
    http: httpx.AsyncClient, chat_id: str, description: str
) -> None:
    answer = await http.post("/sendMessage", data={"chat_id": chat_id, "text": "x"})
    assert answer.json()["description"] == f"Bad Request: {description}"


async def test_a_blocked_bot_is_refused_until_unblocked(
    bot: Bot, people: People, chat: int
) -> None:
    sent = await bot.send_message(chat, "hello")
    await people.block(chat)
    with pytest.raises(Forbidden, match="Forbidden: bot was blocked by the user"):
        await bot.send_message(chat, "hello?")
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.edit_message_text("hello?", chat, sent.message_id)
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_chat_action(chat, "typing")
    await people.unblock(chat)
    await bot.send_message(chat, "hello again")

    changes = [u.my_chat_member for u in await bot.get_updates() if u.my_chat_member]
    assert [(c.old_chat_member.status, c.new_chat_member.status) for c in changes] == [
        ("member", "kicked"),
        ("kicked", "member"),
    ]


@pytest.mark.parametrize("kind", ["group", "supergroup"])
async def test_a_bot_put_out_of_a_group(bot: Bot, people: People, kind: str) -> None:
    user = await people.add_user()
    group = await people.add_group([user], kind=kind)
    await people.set_bot_status(group, "kicked")
    with pytest.raises(Forbidden, match=f"Forbidden: bot was kicked from the {kind} chat"):
        await bot.send_message(group, "hello")
    await people.set_bot_status(group, "left")
    with pytest.raises(Forbidden, match=f"Forbidden: bot is not a member of the {kind} chat"):
        await bot.send_message(group, "hello")
    await people.send_text(group, "good", user=user)
    updates = await bot.get_updates()
    assert all(update.message is None for update in updates)


async def test_a_migrated_group(bot: Bot, people: People) -> None:
    user = await people.add_user()
    group = await people.add_group([user])
    sent = await bot.send_message(group, "hello")
    supergroup = await people.migrate(group)

    with pytest.raises(ChatMigrated) as refusal:
        await bot.send_message(group, "hello")
    assert refusal.value.new_chat_id == supergroup
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("x", group, sent.message_id)
    await bot.send_message(supergroup, "hello")
    notes = [u.message for u in await bot.get_updates() if u.message]
    assert [(n.chat.id, n.migrate_to_chat_id, n.migrate_from_chat_id) for n in notes] == [
        (group, supergroup, None),
        (supergroup, None, group),
    ]


async def test_message_ids_count_over_all_chats_but_per_supergroup(
    bot: Bot, people: People
) -> None:
    ada, ben = await people.add_user(), await people.add_user("Ben")
    group = await people.add_group([ada])
    big = await people.add_group([ada], kind="supergroup")
    ids = [
        (await people.send_text(chat, "x", user=user)).id
        for chat, user in [(ada, ada), (ben, ben), (group, ada), (big, ada), (big, ada)]
    ]
    assert ids == [1, 2, 3, 1, 2]
    assert (await bot.send_message(ben, "x")).message_id == 4


async def test_the_token_is_the_only_one(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, **LOOPBACK) as http:
        wrong = await http.get(f"/bot{TOKEN}x/getMe")
        assert (wrong.status_code, wrong.json()["description"]) == (401, "Unauthorized")
        download = await http.get(f"/file/bot{TOKEN}x/photos/file_1.jpg")
        assert (download.status_code, download.json()["error_code"]) == (401, 401)
        elsewhere = await http.get("/nothing")
        body = {"ok": False, "error_code": 404, "description": "Not Found"}
        assert (elsewhere.status_code, elsewhere.json()) == (404, body)


async def test_parameters_come_in_every_way(http: httpx.AsyncClient, chat: int) -> None:
    fields: dict[str, int | str] = {"chat_id": chat, "text": "x", "unknown": "ignored"}
    answers = [
        await http.get("/sendMessage", params=fields),
        await http.post("/SENDMESSAGE", data=fields),
        await http.post("/sendMessage", json=fields),
        await http.post("/sendMessage", params={"chat_id": chat}, files={"text": (None, "x")}),
    ]
    assert [answer.json()["result"]["text"] for answer in answers] == ["x"] * 4
    broken = await http.post(
        "/sendMessage", content=b"[", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 400


async def test_a_body_too_large_is_refused(http: httpx.AsyncClient, chat: int) -> None:
    big = {"photo": ("x.jpg", bytes(51 * 1024 * 1024))}
    answer = await http.post("/sendPhoto", data={"chat_id": chat}, files=big)
    description = "Request Entity Too Large"
    assert answer.json() == {"ok": False, "error_code": 413, "description": description}


async def test_unknown_methods_are_refused_and_remembered(
    http: httpx.AsyncClient, people: People, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await people.bot())["unknown_methods"] == []
    answer = await http.post("/sendDice", data={"chat_id": 1})
    description = "Not Found: method not found"
    assert answer.json() == {"ok": False, "error_code": 404, "description": description}
    assert (await people.bot())["unknown_methods"] == ["sendDice"]
    assert "sendDice" in caplog.text


async def test_foreign_host_names_are_refused(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, **LOOPBACK) as http:
        answer = await http.get("/sandbox/chats", headers={"host": "evil.example"})
        assert answer.status_code == 400
