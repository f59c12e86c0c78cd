"""The gallery over HTTP: what somebody who has opened it finds, does, and is refused."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseUnavailable, TooManyUnfinished
from bot.web.gallery import links
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.club import Club, rules
from tests.bot.desk import BOT, Desk, picture
from tests.bot.front import EN, all_is_closed, pictured, told
from tests.bot.web.gallery import Visit, init_data, opened, visit
from tests.waiting import eventually

pytestmark = pytest.mark.slow

NOBODYS = "00000000-0000-5000-8000-000000000000"


@pytest.fixture
async def http(desk: Desk, quick: None) -> AsyncIterator[httpx.AsyncClient]:
    assert quick is None
    desk.executor.go()
    async with opened(desk) as http:
        yield http


@pytest.fixture
def ada(desk: Desk, http: httpx.AsyncClient) -> Visit:
    return visit(http, desk.chat)


async def painted(desk: Desk, *, chat: int | None = None, times: int = 1, **photo: Any) -> None:
    """So many photos, each with its picture."""
    place = desk.chat if chat is None else chat
    before = len([m for m in await desk.people.messages(place) if m.sender_id == BOT and m.photo])
    for n in range(1, times + 1):
        await desk.people.send_photo(place, picture(), user=desk.chat, **photo)
        await pictured(desk, place, times=before + n)
    await all_is_closed(desk, place, desk.chat)


async def newest(ada: Visit) -> dict[str, Any]:
    return dict((await ada.get("/pictures"))["pictures"][0])


async def test_a_page_has_what_is_shown_of_each(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    page = await ada.get("/pictures")
    assert page["cursor"] == ""
    (shown,) = page["pictures"]
    assert (shown["title"], shown["details"]) == ("a cat on a sofa", "")
    assert (shown["width"], shown["height"]) == (64, 72), "as the generator says"
    assert shown["ways"] == ["again", "closer"], "a Dream is at the end of the dial"
    assert shown["shareable"]
    assert not shown["starred"]
    sizes = {}
    for name in ("thumbnail", "image", "photo"):
        answer = await ada.http.get(f"/app/{shown[name]}")
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"].startswith("private, max-age=")
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with Image.open(io.BytesIO(answer.content)) as image:
            sizes[name] = (image.format, image.size)
    assert sizes == {
        "thumbnail": ("JPEG", (120, 90)),
        "image": ("PNG", (120, 90)),
        "photo": ("JPEG", (120, 90)),
    }


async def test_a_thumbnail_is_what_the_browser_takes(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    shown = await newest(ada)
    for accepted, given in (
        ("image/avif,image/webp,*/*", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("*/*", "image/jpeg"),
    ):
        answer = await ada.http.get(f"/app/{shown['thumbnail']}", headers={"Accept": accepted})
        assert (answer.headers["Content-Type"], answer.headers["Vary"]) == (given, "Accept")


@pytest.mark.long
async def test_pages_hold_all_of_ones_pictures_of_all_chats(
    desk: Desk, ada: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.gallery.api._PAGE", 2)
    group = await desk.people.add_group([desk.chat])
    await painted(desk, times=2)
    await painted(desk, chat=group, caption="@lookalike_sandbox_bot in a group")
    found, cursor = [], ""
    for _ in range(2):
        page = await ada.get(f"/pictures?cursor={cursor}")
        found += [each["title"] for each in page["pictures"]]
        cursor = page["cursor"]
    assert len(found) == 3
    assert "in a group" in found[0]
    assert await ada.refused("GET", "/pictures?cursor=x") == (400, "invalid")


async def test_its_words_are_in_the_language_that_was_chosen(
    desk: Desk, http: httpx.AsyncClient
) -> None:
    session = await visit(http, desk.chat).get("/session")
    assert session["language"] == "en"
    german = await visit(http, desk.chat, language="de-AT").get("/session")
    assert german["language"] == "de"
    assert german["words"].keys() == session["words"].keys()
    assert german["words"]["title"] == "Deine Bilder"
    chosen = db.UserSettings(language="lt")
    await desk.database.change_settings(
        db.ChangeSettingsRequest(bot_id=BOT, user_id=desk.chat, settings=chosen)
    )
    session = await visit(http, desk.chat, language="de").get("/session")
    assert session["language"] == "lt"


async def test_a_star_comes_and_goes(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    path = f"/pictures/{(await newest(ada))['id']}/star"
    for method, starred in (("PUT", True), ("PUT", True), ("DELETE", False)):
        assert (await ada.ask(method, path)).status_code == 204
        assert (await newest(ada))["starred"] == starred


async def test_a_picture_follows_once_however_often_it_is_asked(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    parent = await newest(ada)
    path, body = f"/pictures/{parent['id']}/children", {"way": "closer", "request": str(uuid4())}
    answers = await asyncio.gather(*(ada.ask("POST", path, json=body) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [202] * 3
    assert [answer.json()["created"] for answer in answers].count(True) == 1
    assert {answer.json()["message"] for answer in answers} <= {
        EN.pictures.coming,
        EN.pictures.under_way,
    }
    await pictured(desk, desk.chat, times=2)
    await all_is_closed(desk, desk.chat, desk.chat)
    child = await newest(ada)
    assert child["details"] == "Cousin"
    family = await ada.get(f"/pictures/{parent['id']}")
    assert family["picture"]["id"] == parent["id"]
    assert (family["parent"], [each["id"] for each in family["children"]]) == (None, [child["id"]])
    assert (await ada.get(f"/pictures/{child['id']}"))["parent"]["id"] == parent["id"]


async def test_what_is_deleted_goes_from_the_chat_as_well(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    (shown,) = await pictured(desk, desk.chat)
    before = await newest(ada)
    answer = await ada.ask("DELETE", f"/pictures/{before['id']}")
    assert answer.status_code == 204
    assert (await ada.get("/pictures"))["pictures"] == []
    await desk.people.wait_for(desk.chat, lambda now: shown.id not in {m.id for m in now})
    for method, path in (("GET", ""), ("DELETE", ""), ("PUT", "/star"), ("POST", "/share")):
        refused = await ada.refused(method, f"/pictures/{before['id']}{path}")
        assert refused == (404, "not-found")
    assert (await ada.http.get(f"/app/{before['thumbnail']}")).status_code == 404


async def test_what_is_still_being_delivered_stays(desk: Desk, ada: Visit) -> None:
    await desk.people.add_fault("http_error", method="sendPhoto", status=502, count=1000)
    await desk.people.send_photo(desk.chat, picture())

    async def look() -> dict[str, Any] | None:
        return next(iter((await ada.get("/pictures"))["pictures"]), None)

    shown = await eventually(look)
    assert not shown["shareable"]
    assert await ada.refused("DELETE", f"/pictures/{shown['id']}") == (409, "unfinished")


async def test_a_refusal_says_why(desk: Desk, ada: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    await painted(desk)
    path = f"/pictures/{(await newest(ada))['id']}/children"
    body = {"way": "again", "request": str(uuid4())}
    full = TooManyUnfinished("as the test says", "TOO_MANY_UNFINISHED")
    monkeypatch.setattr(DatabaseClient, "create_generation", AsyncMock(side_effect=full))
    answer = await ada.ask("POST", path, json=body)
    problem = {"status": 429, "code": "refused", "detail": EN.ending("too-many-unfinished")}
    assert (answer.status_code, answer.json()) == (429, problem)


async def test_those_whom_the_bot_is_for_see_it(people: Club) -> None:
    async with opened(people.desk, bot_access="invited", **rules(people)) as http:
        for name, user in people.users.items():
            if name in {"banned", "stranger"}:
                refused = await visit(http, user).refused("GET", "/pictures")
                assert refused == (403, "not-allowed"), name
            else:
                assert (await visit(http, user).get("/pictures"))["pictures"] == [], name


async def test_images_are_shown_no_longer_to_who_is_banned(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    shown = await newest(ada)
    await desk.database.ban_user(db.BanUserRequest(bot_id=BOT, user_id=desk.chat))
    for name in ("thumbnail", "image", "photo"):
        assert (await ada.http.get(f"/app/{shown[name]}")).status_code == 403


async def test_nobody_comes_in_without_telegrams_word(http: httpx.AsyncClient) -> None:
    for forged in ("tma", "tma x=1", "Bearer x", "tma " + "x" * 5000):
        assert await Visit(http, forged).refused("GET", "/session") == (401, "bad-init-data")
    assert await Visit(http, "").refused("GET", "/session") == (401, "no-init-data")


async def test_words_that_telegram_has_not_signed_are_none(
    desk: Desk, http: httpx.AsyncClient
) -> None:
    good = init_data(desk.chat)
    other = init_data(desk.chat, token="10001:another-bots-token-altogether")
    for forged in (
        other,
        good.replace(str(desk.chat), str(desk.chat + 1)),
        f"{good[:-1]}{'0' if good[-1] != '0' else '1'}",
        f"{good}&user=%7B%22id%22%3A1%7D",
        good.partition("&hash=")[0],
    ):
        refused = await Visit(http, f"tma {forged}").refused("GET", "/session")
        assert refused == (401, "bad-init-data")


async def test_after_an_hour_it_is_opened_anew(desk: Desk, http: httpx.AsyncClient) -> None:
    assert (await visit(http, desk.chat, age=3500).ask("GET", "/session")).status_code == 200
    assert await visit(http, desk.chat, age=3700).refused("GET", "/session") == (401, "expired")


async def test_anothers_picture_is_not_found(desk: Desk, http: httpx.AsyncClient) -> None:
    await painted(desk)
    shown = await newest(visit(http, desk.chat))
    eve = visit(http, await desk.people.add_user("Eve"))
    assert (await eve.get("/pictures"))["pictures"] == []
    path = f"/pictures/{shown['id']}"
    body = {"way": "again", "request": str(uuid4())}
    for method, more in (("GET", ""), ("DELETE", ""), ("PUT", "/star"), ("POST", "/share")):
        assert await eve.refused(method, f"{path}{more}") == (404, "not-found")
    assert await eve.refused("POST", f"{path}/children", json=body) == (404, "not-found")
    assert (await newest(visit(http, desk.chat)))["id"] == shown["id"]
    thumbnail = shown["thumbnail"]
    for changed in (
        thumbnail.replace(f"u={desk.chat}", f"u={desk.chat + 1}"),
        thumbnail.replace("thumbnail", "image"),
        thumbnail.replace(shown["id"], NOBODYS),
        thumbnail.partition("?")[0],
        thumbnail.replace("&e=", "&e=9"),
        thumbnail[:-1],
    ):
        assert (await eve.http.get(f"/app/{changed}")).status_code == 403, changed


async def test_addresses_of_images_end(
    desk: Desk, ada: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    await painted(desk)
    monkeypatch.setattr(links, "_WINDOW", -600)
    shown = await newest(ada)
    assert (await ada.http.get(f"/app/{shown['thumbnail']}")).status_code == 403


async def test_what_is_no_request_is_refused(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    path = f"/pictures/{(await newest(ada))['id']}/children"
    right = {"way": "again", "request": NOBODYS}
    for body in (
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        *(
            json.dumps(right | wrong).encode()
            for wrong in ({"way": "delete-it"}, {"request": "x"}, {"request": None}, {"more": 1})
        ),
    ):
        assert await ada.refused("POST", path, content=body) == (400, "invalid"), body[:50]
    freer = json.dumps(right | {"way": "freer"})
    assert await ada.refused("POST", path, content=freer) == (404, "not-found")


async def test_a_picture_is_handed_to_telegram_to_be_shared(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    shown = await newest(ada)
    answer = await ada.ask("POST", f"/pictures/{shown['id']}/share")
    assert answer.status_code == 200
    assert answer.json()["id"]
    (call,) = await desk.people.calls("savePreparedInlineMessage")
    assert call.params["user_id"] == str(desk.chat)


async def test_while_dbservice_is_away_it_says_so(
    ada: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = DatabaseUnavailable("UNAVAILABLE: as the test says")
    monkeypatch.setattr(DatabaseClient, "get_access", AsyncMock(side_effect=away))
    assert await ada.refused("GET", "/session") == (503, "unavailable")


async def test_the_menu_button_and_the_history_lead_there(desk: Desk, ada: Visit) -> None:
    await painted(desk)
    await desk.people.send_text(desk.chat, "/history")
    await told(desk, desk.chat, "Just now")
    (set_button,) = await desk.people.calls("setChatMenuButton")
    url = f"{ada.http.base_url}/app/"
    assert url in set_button.params["menu_button"]
    sent = [call for call in await desk.people.calls("sendPhoto") if "web_app" in str(call.params)]
    assert url in sent[-1].params["reply_markup"]


async def test_without_an_address_there_is_none(desk: Desk, quick: None) -> None:
    assert quick is None
    async with opened(desk, bot_public_url=None) as http:
        for path in ("/app", "/app/", "/app/api/session"):
            assert (await http.get(path)).status_code == 404
