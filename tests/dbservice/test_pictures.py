"""What becomes of pictures: deleted, starred, found by their messages; what users have chosen."""

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CHAT, USER, Client, Lease, Refusal, refusal

NOT_FOUND: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
NOT_OWNER: Refusal = (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER", [])


async def delivered(client: Client) -> Lease:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    await client.close(lease)
    return lease


async def kept(client: Client) -> int:
    request = db.GetStatusRequest(bot_id=BOT, chat_id=CHAT, user_id=USER)
    return (await client.call(client.stub.GetStatus, request)).kept_bytes


async def test_a_deleted_picture_leaves_its_row_alone(client: Client) -> None:
    lease = await delivered(client)
    key, before = lease.item.generation.id, await kept(client)
    size = (await client.get(generation_id=key)).item.generation.picture.image.size
    await client.star(key)
    item = await client.delete(key)
    generation = item.generation
    assert generation.HasField("deleted_at")
    assert generation.parameters.prompt == generation.recipe.words == ""
    assert not generation.HasField("picture")
    assert not generation.starred
    assert await client.delete(key) == item
    await client.note(key, USER + 2, db.MESSAGE_KIND_PICTURE)
    await client.note(key, USER + 3, db.MESSAGE_KIND_QUESTION)
    request = db.DeleteGenerationRequest(bot_id=BOT, chat_id=CHAT, user_id=USER, generation_id=key)
    shown = (await client.call(client.stub.DeleteGeneration, request)).message_ids
    assert shown[0] == USER + 2
    assert USER + 3 not in shown
    assert (await client.history()).count == 0
    assert await kept(client) == before - size
    assert await refusal(client.image(generation_id=key)) == NOT_FOUND
    assert (await client.image(photo_id=item.photo.id))[0] == item.photo.image
    assert await refusal(client.star(key)) == NOT_FOUND


async def test_only_its_owner_deletes_a_picture_and_when_it_is_closed(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    key = lease.item.generation.id
    not_closed: Refusal = (grpc.StatusCode.FAILED_PRECONDITION, "NOT_CLOSED", [])
    assert await refusal(client.delete(key)) == not_closed
    await client.close(lease)
    assert await refusal(client.delete(key, user=7)) == NOT_OWNER
    assert await refusal(client.star(key, user=7)) == NOT_OWNER
    await client.delete(key)


async def test_a_star_comes_and_goes(client: Client) -> None:
    key = (await delivered(client)).item.generation.id
    assert (await client.star(key)).generation.starred
    assert (await client.get(generation_id=key)).item.generation.starred
    assert not (await client.star(key, starred=False)).generation.starred


async def test_a_generation_is_found_by_its_messages(client: Client) -> None:
    lease = await client.to_state(db.GENERATION_STATE_FINISHED, message_id=USER)
    key, finished = lease.item.generation.id, db.GENERATION_STATE_FINISHED
    patch = db.GenerationPatch(caption_message_id=101, result_message_id=102, result_file_id="f")
    await client.advance(lease, finished, finished, patch)
    await client.note(key, 103, db.MESSAGE_KIND_PICTURE)
    await client.note(key, 104, db.MESSAGE_KIND_QUESTION)
    await client.note(key, 104, db.MESSAGE_KIND_QUESTION)
    for message, kind in (
        (USER, db.MESSAGE_KIND_UNSPECIFIED),
        (101, db.MESSAGE_KIND_CAPTION),
        (102, db.MESSAGE_KIND_PICTURE),
        (103, db.MESSAGE_KIND_PICTURE),
        (104, db.MESSAGE_KIND_QUESTION),
    ):
        found = await client.get(message_id=message)
        assert (found.item.generation.id, found.kind) == (key, kind)
    assert await refusal(client.get(message_id=105)) == NOT_FOUND
    assert await refusal(client.get(message_id=103, user=7)) == NOT_OWNER
    taken = await refusal(client.note(key, 104, db.MESSAGE_KIND_PICTURE))
    assert taken[1] == "MESSAGE_TAKEN"
    wrong = await refusal(client.note(key, 0, db.MESSAGE_KIND_STATUS))
    assert wrong[2] == ["message_id", "kind"]


async def test_what_a_user_has_chosen_is_theirs_until_they_are_forgotten(client: Client) -> None:
    default = db.Recipe(dial=db.DIAL_COUSIN, style="oil")
    first = await client.receive(1, recipe=default)
    assert first.item.generation.recipe == default
    assert await client.settings(db.DIAL_TWIN) == db.DIAL_TWIN
    assert await client.settings() == db.DIAL_TWIN
    assert await client.settings(user=7) == db.DIAL_UNSPECIFIED
    second = await client.receive(2, recipe=default)
    assert second.item.generation.recipe == db.Recipe(dial=db.DIAL_TWIN, style="oil")
    await client.cancel()
    for lease in await client.lease():
        await client.close(lease)
    await client.forget()
    assert await client.settings() == db.DIAL_UNSPECIFIED
    wrong = await refusal(client.settings(9))  # type: ignore[arg-type]
    assert wrong[2] == ["settings.dial"]


@pytest.mark.parametrize("max_unfinished", [100])
async def test_the_words_of_an_album_are_all_its_photos_words(client: Client) -> None:
    first = (await client.receive(1, media_group_id="a", user_text="")).item.photo
    assert (first.album_text, first.HasField("album_newest_at")) == ("", True)
    await client.receive(2, media_group_id="a", user_text="at night")
    await client.receive(3, media_group_id="a", user_text="")
    await client.receive(4, media_group_id="b", user_text="")
    await client.receive(5)
    photos = [item.photo for item in await client.status()]
    assert [photo.album_text for photo in photos] == ["at night"] * 3 + ["", ""]
    newest = {photo.album_newest_at.ToNanoseconds() for photo in photos[:3]}
    assert len(newest) == 1
    assert newest.pop() >= photos[2].received_at.ToNanoseconds()
    assert not photos[4].HasField("album_newest_at")
