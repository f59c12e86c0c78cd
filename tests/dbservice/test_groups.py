"""Groups: whose is what somebody asks of another's photo, and what a group chooses comes first."""

from typing import Any

import grpc
import pytest

from dbservice.models import generation_id, photo_id
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, refusal
from tests.dbservice.test_access import ban

ASKER, OTHER = USER + 1, USER + 2
SUPERGROUP = CHAT - 1000


async def asked(
    client: Client, message: int = 1, *, by: int = ASKER, at: int = 10, **more: Any
) -> db.ReceivePhotoResponse:
    """Somebody asks about a photo with a message."""
    fields: dict[str, Any] = {"of_another": by != USER, "user_text": ""} | more
    return await client.receive(message, user=by, asking_message_id=at, **fields)


async def choose(client: Client, whose: int, *, reset: bool = False, **chosen: Any) -> None:
    request = db.ChangeSettingsRequest(
        bot_id=BOT,
        user_id=whose,
        settings=db.UserSettings(**chosen),
        language_code="en",
        reset=reset,
    )
    await client.call(client.stub.ChangeSettings, request)


async def move(client: Client, source: int = CHAT, target: int = SUPERGROUP) -> None:
    request = db.MoveChatRequest(bot_id=BOT, from_chat_id=source, to_chat_id=target)
    await client.call(client.stub.MoveChat, request)


async def counting(client: Client, user: int, chat: int = 0) -> db.UserSettings:
    request = db.GetSettingsRequest(bot_id=BOT, user_id=user, chat_id=chat)
    return (await client.call(client.stub.GetSettings, request)).settings


# Another's photo.


async def test_each_who_asks_has_a_row_of_their_own(client: Client) -> None:
    of_sender = await client.receive()
    first, second = await asked(client), await asked(client, by=OTHER, at=11)
    again = await asked(client)
    assert (first.created, second.created, again.created) == (True, True, False)
    assert again.item == first.item
    ids = [each.item.photo.id for each in (of_sender, first, second)]
    assert ids == [photo_id(BOT, CHAT, 1, who) for who in (None, ASKER, OTHER)]
    assert first.item.generation.id == generation_id(ids[1])
    assert first.item.photo.user_id == ASKER
    assert first.item.generation.reply_to_message_id == 10
    for user, item in ((USER, of_sender), (ASKER, first), (OTHER, second)):
        assert (await client.get(user=user, message_id=1)).item == item.item
        assert [each.photo.user_id for each in await client.status(user=user)] == [user]
    code, reason, _ = await refusal(client.get(user=99, message_id=1))
    assert (code, reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER")


async def test_who_asks_about_their_own_has_the_ordinary_id(client: Client) -> None:
    own = await asked(client, by=USER)
    assert own.item.photo.id == photo_id(BOT, CHAT, 1)
    assert own.item.generation.reply_to_message_id == 10
    assert not (await client.receive()).created


async def test_what_ended_without_a_caption_begins_anew(client: Client) -> None:
    first = (await asked(client)).item
    (lease,) = await client.lease()
    await client.store(lease)
    for at in (11, 12):
        late = await asked(client, at=at)
        assert (late.created, late.item.photo.id) == (False, first.photo.id), "it goes on"
    await client.cancel(user=ASKER)
    await client.close(lease)
    redelivered = await asked(client, at=10)
    assert (redelivered.created, redelivered.item.generation.state) == (
        False,
        db.GENERATION_STATE_CANCELLED,
    )
    anew = await asked(client, at=13, user_text="in oils")
    assert anew.created
    assert (anew.item.photo.id, anew.item.photo.user_text) == (first.photo.id, "in oils")
    generation = anew.item.generation
    assert (generation.id, generation.reply_to_message_id) == (first.generation.id, 13)
    assert generation.state == db.GENERATION_STATE_RECEIVED
    assert not anew.item.photo.HasField("image")
    assert not (await asked(client, at=13)).created
    (lease,) = await client.lease()
    await client.store(lease)


async def test_it_follows_from_what_is_left_and_begins_anew_where_nothing_is(
    client: Client,
) -> None:
    await asked(client)
    (lease,) = await client.lease()
    await client.store(lease)
    said = db.GenerationPatch(caption=db.Caption(text="a cat", captioner="offline", model="m"))
    await client.advance(lease, db.GENERATION_STATE_STORED, db.GENERATION_STATE_CAPTIONED, said)
    first = lease.item.generation.id
    child = (await client.create(first, user=ASKER, message=20)).item.generation.id
    await client.cancel(user=ASKER)
    for each in await client.lease():
        await client.close(each)
    assert (await asked(client, at=30)).item.generation.id == first
    await client.delete(first, user=ASKER)
    assert (await asked(client, at=30)).item.generation.id == child
    await client.delete(child, user=ASKER)
    assert not (await asked(client, at=20)).created, "it comes again"
    anew = await asked(client, at=30)
    assert (anew.created, anew.item.generation.id) == (True, first)
    assert not anew.item.generation.HasField("deleted_at")


async def test_what_was_asked_for_after_a_cancel_stays(client: Client) -> None:
    await asked(client, at=10)
    late = await asked(client, 2, at=30)
    cancelled = await client.cancel(user=ASKER, before=20)
    assert cancelled.cancelled_count == 1
    assert (await client.get(user=ASKER, message_id=2)).item == late.item


async def test_who_is_forgotten_takes_along_what_they_have_asked_for(client: Client) -> None:
    await client.receive()
    item = (await asked(client)).item.generation.id
    await client.cancel(user=ASKER)
    (lease,) = [each for each in await client.lease() if each.item.generation.id == item]
    await client.close(lease)
    request = db.ForgetUserRequest(bot_id=BOT, user_id=ASKER)
    assert (await client.call(client.stub.ForgetUser, request)).photos == 1
    assert (await client.get(message_id=1)).item.photo.user_id == USER


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"of_another": True}, "asking_message_id"),
        ({"asking_message_id": 0}, "asking_message_id"),
        ({"only_with_album": True}, "media_group_id"),
    ],
)
async def test_what_cannot_be_is_refused(
    client: Client, fields: dict[str, Any], wrong: str
) -> None:
    code, _, found = await refusal(client.receive(**fields))
    assert (code, found) == (grpc.StatusCode.INVALID_ARGUMENT, [wrong])


async def test_a_photo_that_comes_with_its_album_alone(client: Client) -> None:
    album: dict[str, Any] = {"media_group_id": "13", "only_with_album": True, "user_text": ""}
    code, reason, _ = await refusal(client.receive(2, **album))
    assert (code, reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")
    await client.receive(1, media_group_id="13")
    assert (await client.receive(2, **album)).item.photo.album_text == "look"
    code, *_ = await refusal(client.receive(3, user=OTHER, **album))
    assert code == grpc.StatusCode.NOT_FOUND, "nobody else's"


async def test_of_an_album_that_is_not_for_the_bot_nobody_hears_who_is_forgotten(
    client: Client,
) -> None:
    await client.receive(1, media_group_id="13")
    await client.ask_to_forget()
    album: dict[str, Any] = {"only_with_album": True, "user_text": ""}
    for group, expected in (("14", "NOT_FOUND"), ("13", "BEING_FORGOTTEN")):
        _, reason, _ = await refusal(client.receive(2, media_group_id=group, **album))
        assert reason == expected


async def test_who_administers_a_group_reads_and_deletes_anybodys(client: Client) -> None:
    lease = await client.leased()
    key = lease.item.generation.id
    await client.cancel(key)
    await client.close(lease)
    given: dict[str, Any] = {"bot_id": BOT, "user_id": OTHER, "generation_id": key}
    for chat, administrator, reason in (
        (CHAT, False, "NOT_OWNER"),
        (CHAT - 1, True, "NOT_FOUND"),
    ):
        whose = given | {"chat_id": chat, "administrator": administrator}
        for call in (
            client.call(client.stub.GetGeneration, db.GetGenerationRequest(**whose)),
            client.call(client.stub.DeleteGeneration, db.DeleteGenerationRequest(**whose)),
        ):
            assert (await refusal(call))[1] == reason
    whose = given | {"chat_id": CHAT, "administrator": True}
    found = await client.call(client.stub.GetGeneration, db.GetGenerationRequest(**whose))
    assert found.item.generation.id == key
    left = await client.call(client.stub.DeleteGeneration, db.DeleteGenerationRequest(**whose))
    assert left.item.generation.HasField("deleted_at")


# What a group chooses.


async def test_what_a_group_chooses_comes_first_one_by_one(client: Client) -> None:
    await choose(client, USER, dial=db.DIAL_COUSIN, style="oil", language="nl")
    await choose(client, CHAT, dial=db.DIAL_TWIN, time_zone="Europe/Vilnius")
    own = await counting(client, USER)
    assert own == db.UserSettings(dial=db.DIAL_COUSIN, style="oil", language="nl")
    here = db.UserSettings(
        dial=db.DIAL_TWIN, style="oil", language="nl", time_zone="Europe/Vilnius"
    )
    assert await counting(client, USER, CHAT) == here
    assert await counting(client, USER, USER) == await counting(client, USER, -7) == own
    recipe = db.Recipe(dial=db.DIAL_DREAM)
    in_group = (await client.receive(recipe=recipe)).item
    assert in_group.generation.recipe == db.Recipe(dial=db.DIAL_TWIN, style="oil")
    elsewhere = (await client.receive(2, chat=USER, recipe=recipe)).item
    assert elsewhere.generation.recipe == db.Recipe(dial=db.DIAL_COUSIN, style="oil")
    of_nobody = (await client.receive(3, user=OTHER, chat=-7, recipe=recipe)).item
    assert of_nobody.generation.recipe == recipe


async def test_a_group_leaves_all_open_again(client: Client) -> None:
    await choose(client, CHAT, dial=db.DIAL_TWIN, pictures=2, language="lt", style="oil")
    await choose(client, CHAT, reset=True)
    assert await counting(client, CHAT) == db.UserSettings()
    await choose(client, CHAT, reset=True, style="ink")
    assert await counting(client, CHAT) == db.UserSettings(style="ink")


async def test_what_is_under_way_in_a_group_goes_on_in_its_language(client: Client) -> None:
    async def languages() -> list[str]:
        found = [await client.get(user=user, message_id=n) for n, user in ((1, USER), (2, OTHER))]
        return [each.item.photo.language_code for each in found]

    await client.receive(1)
    await client.receive(2, user=OTHER)
    private = (await client.receive(3, chat=USER)).item
    await choose(client, CHAT, language="lt")
    assert await languages() == ["lt", "lt"]
    await choose(client, USER, language="de")
    assert await languages() == ["lt", "lt"], "the group's comes first"
    (item,) = await client.status(chat=USER)
    assert (item.photo.id, item.photo.language_code) == (private.photo.id, "de")
    await choose(client, CHAT, language="")
    assert await languages() == ["lt", "lt"], "until something else is asked for"
    assert (await client.receive(4)).item.photo.language_code == "de"


@pytest.mark.parametrize("has_chosen", [False, True])
async def test_a_group_that_moves_keeps_what_it_has_chosen_and_its_ban(
    client: Client, *, has_chosen: bool
) -> None:
    successor = -1009
    await choose(client, CHAT, dial=db.DIAL_TWIN)
    await ban(client, CHAT)
    if has_chosen:
        await choose(client, successor, dial=db.DIAL_COUSIN)
    here = db.GENERATION_STATE_RECEIVED
    moves = db.GenerationPatch(chat_id=successor)
    await client.advance(await client.leased(), here, here, moves)
    assert await counting(client, CHAT) == db.UserSettings()
    dial = db.DIAL_COUSIN if has_chosen else db.DIAL_TWIN
    assert await counting(client, successor) == db.UserSettings(dial=dial)
    assert await is_banned(client, successor)


async def test_a_name_of_a_style_has_its_length(client: Client) -> None:
    code, _, fields = await refusal(choose(client, CHAT, style="x" * 201))
    assert (code, fields) == (grpc.StatusCode.INVALID_ARGUMENT, ["settings.style"])


# What follows a group that becomes a supergroup.


async def is_banned(client: Client, chat: int) -> bool:
    request = db.GetAccessRequest(bot_id=BOT, user_id=USER, chat_id=chat)
    return (await client.call(client.stub.GetAccess, request)).banned


async def test_a_supergroup_has_what_the_group_has_chosen_and_its_ban(client: Client) -> None:
    await choose(client, CHAT, language="de", pictures=4)
    await ban(client, CHAT)
    for _ in range(2):
        await move(client)
        found = await counting(client, SUPERGROUP)
        assert (found.language, found.pictures) == ("de", 4)
        assert await is_banned(client, SUPERGROUP)
        assert await counting(client, CHAT) == db.UserSettings()
        assert not await is_banned(client, CHAT)


async def test_what_a_supergroup_has_chosen_itself_stays(client: Client) -> None:
    await choose(client, CHAT, language="de", pictures=4)
    await choose(client, SUPERGROUP, language="nl")
    for chat in (CHAT, SUPERGROUP):
        await ban(client, chat)
    await move(client)
    assert await counting(client, SUPERGROUP) == db.UserSettings(language="nl")
    assert await counting(client, CHAT) == db.UserSettings()
    assert await is_banned(client, SUPERGROUP)
    assert not await is_banned(client, CHAT)


@pytest.mark.parametrize(
    ("source", "target", "wrong"),
    [
        (USER, SUPERGROUP, ["from_chat_id"]),
        (CHAT, 0, ["to_chat_id"]),
        (CHAT, CHAT, ["to_chat_id"]),
    ],
)
async def test_nothing_else_moves(
    client: Client, source: int, target: int, wrong: list[str]
) -> None:
    code, _, found = await refusal(move(client, source, target))
    assert (code, found) == (grpc.StatusCode.INVALID_ARGUMENT, wrong)
