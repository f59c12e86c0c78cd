"""CreateGeneration: pictures that somebody asks for by a button or by words, each once."""

import grpc
import pytest

from dbservice.models import asked_id, generation_id, photo_id
from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import BOT, CAPTION, CHAT, USER, Client, Lease, Refusal, refusal
from tests.dbservice.conftest import Clock

pytestmark = pytest.mark.each_database

CAPTIONED = db.GENERATION_STATE_CAPTIONED
RECEIVED = db.GENERATION_STATE_RECEIVED
STORED = db.GENERATION_STATE_STORED
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


async def delivered(client: Client) -> db.Generation:
    lease = await client.to_state(db.GENERATION_STATE_DELIVERED, message_id=USER)
    await client.close(lease)
    return lease.item.generation


async def caption(client: Client, lease: Lease) -> None:
    await client.store(lease, b"a photo")
    await client.advance(lease, STORED, CAPTIONED, db.GenerationPatch(caption=CAPTION))


async def states(client: Client) -> list[db.GenerationState]:
    return [item.generation.state for item in await client.status()]


async def test_a_press_makes_a_picture_with_its_recipe(client: Client) -> None:
    parent = await delivered(client)
    recipe = db.Recipe(dial=db.DIAL_TWIN, style="oil", words="at night")
    own = db.Parameters(seed=3, preset="quick")
    made = await client.press(parent.id, "1", recipe=recipe, parameters=own)
    assert made.created
    generation = made.item.generation
    assert generation.id == asked_id(parent.photo_id, CHAT, 400, 0)
    assert generation.state == CAPTIONED
    assert generation.recipe == recipe
    assert generation.parameters == own
    assert generation.parent_id == parent.id
    assert not generation.HasField("reply_to_message_id")
    assert made.item.photo.caption.text == CAPTION.text
    assert (await client.get(generation_id=generation.id)).item == made.item


async def test_a_press_is_one_picture_until_it_is_done_and_five_seconds_old(
    client: Client, clock: Clock
) -> None:
    parent = await delivered(client)
    first = await client.press(parent.id, "1")
    assert await client.press(parent.id, "1") == db.CreateGenerationResponse(item=first.item)
    other_button = await client.press(parent.id, "2", "closer")
    assert other_button.created
    assert (await client.press(parent.id, "3")).item == first.item
    await client.cancel()
    for lease in await client.lease():
        await client.close(lease)
    clock.pass_seconds(4)
    soon = await client.press(parent.id, "4")
    assert (soon.created, soon.item.generation.id) == (False, first.item.generation.id)
    clock.pass_seconds(1)
    later = await client.press(parent.id, "5")
    assert later.created
    assert later.item.generation.id == asked_id(parent.photo_id, CHAT, 400, 2)
    redelivered = await client.press(parent.id, "1")  # and Telegram was not told that we had it
    assert (redelivered.created, redelivered.item.generation.id) == (
        False,
        first.item.generation.id,
    )


async def test_words_in_reply_are_one_picture_that_answers_them(client: Client) -> None:
    parent = await delivered(client)
    first = await client.create(parent.id, 500)
    assert first.item.generation.reply_to_message_id == 500
    assert first.item.generation.recipe == db.Recipe(dial=db.DIAL_DREAM, words="a dog")
    assert await client.create(parent.id, 500) == db.CreateGenerationResponse(item=first.item)
    assert (await client.create(parent.id, 501)).created


async def test_words_alone_are_a_picture_as_good_as_any(client: Client) -> None:
    made = await client.create(message=600, language_code="de", message_thread_id=7)
    photo, generation = made.item.photo, made.item.generation
    assert photo.id == photo_id(BOT, CHAT, 600)
    assert generation.id == generation_id(photo.id)
    assert (photo.file_id, photo.language_code, photo.message_thread_id) == ("", "de", 7)
    assert not photo.HasField("image")
    assert not photo.HasField("caption")
    assert await client.create(message=600) == db.CreateGenerationResponse(item=made.item)
    (lease,) = await client.lease()
    queued = db.GENERATION_STATE_QUEUED
    await client.advance(lease, CAPTIONED, queued, db.GenerationPatch(prompt="a dog"))
    await client.finish(lease)
    await client.advance(
        lease, db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED, db.GenerationPatch()
    )
    await client.close(lease)
    (shown,) = (await client.history()).items
    assert shown.generation.id == generation.id
    child = await client.press(generation.id, "1")
    assert child.item.generation.state == CAPTIONED
    refused = await refusal(client.create(generation.id, caption="a dog"))
    assert refused == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT", ["caption"])
    await client.cancel()
    for each in await client.lease():
        await client.close(each)
    forgotten = await client.forget()
    assert (forgotten.photos, forgotten.generations) == (1, 2)


async def test_words_to_a_photo_without_a_caption_wait_for_it(client: Client) -> None:
    lease = await client.leased()
    made = await client.create(lease.item.generation.id)
    assert made.item.generation.state == RECEIVED
    await caption(client, lease)
    assert await states(client) == [CAPTIONED, CAPTIONED]


@pytest.mark.parametrize("end", ["cancelled", "failed"])
async def test_words_to_a_photo_that_gets_no_caption_end_with_it(client: Client, end: str) -> None:
    lease = await client.leased()
    parent = lease.item.generation.id
    made = (await client.create(parent)).item.generation
    if end == "cancelled":
        await client.cancel(parent)
    else:
        await client.end(lease, failed=db.Error(code="photo-refused"))
    waiting = (await client.get(generation_id=made.id)).item.generation
    assert (waiting.state, waiting.error.code) == (db.GENERATION_STATE_FAILED, "no-caption")
    assert await refusal(client.create(parent, 501)) == (PRECONDITION, "NOT_CAPTIONED", [])


async def test_what_its_owner_says_of_a_photo_is_its_caption(client: Client) -> None:
    parent = await delivered(client)
    made = await client.create(parent.id, caption="a dog on a sofa")
    said = made.item.photo.caption
    assert (said.text, said.captioner) == ("a dog on a sofa", "user")
    assert not said.HasField("confidence")
    assert list(said.guesses) == list(CAPTION.guesses) != []


async def test_nobody_asks_for_more_of_what_is_not_theirs_or_is_gone(client: Client) -> None:
    parent = await delivered(client)
    not_owner: Refusal = (grpc.StatusCode.PERMISSION_DENIED, "NOT_OWNER", [])
    not_found: Refusal = (grpc.StatusCode.NOT_FOUND, "NOT_FOUND", [])
    assert await refusal(client.press(parent.id, "1", user=7)) == not_owner
    assert await refusal(client.create(parent.id, user=7)) == not_owner
    assert await refusal(client.press("00000000-0000-4000-8000-000000000000", "1")) == not_found
    child = (await client.press(parent.id, "1")).item.generation.id
    await client.delete(parent.id)
    assert await refusal(client.press(parent.id, "2", "closer")) == not_found
    assert (await client.press(parent.id, "1")).item.generation.id == child
    assert (await client.create(child)).created


async def test_limits_are_those_of_photos(client: Client) -> None:
    parent = await delivered(client)
    for number in range(10):
        await client.create(parent.id, 500 + number)
    for refused in (client.create(parent.id, 600), client.press(parent.id, "1")):
        assert await refusal(refused) == (PRECONDITION, "TOO_MANY_UNFINISHED", [])
    assert await refusal(client.create(message=601)) == (PRECONDITION, "TOO_MANY_UNFINISHED", [])


async def test_every_field_at_fault_is_named(client: Client) -> None:
    async def fields(**asked: object) -> list[str]:
        _, reason, names = await refusal(client.create(**asked))  # type: ignore[arg-type]
        assert reason == "INVALID_ARGUMENT"
        return names

    wrong = db.Recipe(dial=9, style="x" * 201, words="x" * 4097)  # type: ignore[arg-type]
    assert await fields(message=0, recipe=wrong) == [
        "message_id",
        "recipe.dial",
        "recipe.style",
        "recipe.words",
    ]
    assert await fields(recipe=db.Recipe()) == ["recipe.words"]
    assert await fields(button="again", caption="x") == ["button", "caption"]
    assert await fields(parent="x") == ["parent_id"]
    parent = (await client.receive()).item.generation.id
    assert await fields(parent=parent, button="again") == ["request_id"]
    assert await fields(parent=parent, request_id="1") == ["request_id"]
    assert await fields(parent=parent, caption="") == ["caption"]
