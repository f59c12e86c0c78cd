"""Sets: several pictures that are asked for at once, leased, counted and ended together."""

import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest

from protos.lookalike.db.v1 import db_pb2 as db
from tests.dbservice.client import (
    BOT,
    CAPTION,
    CHAT,
    USER,
    Client,
    Lease,
    files,
    finalize_info,
    finalize_parts,
    picture,
    refusal,
)

pytestmark = pytest.mark.each_database

INVALID = grpc.StatusCode.INVALID_ARGUMENT
RECEIVED, STORED = db.GENERATION_STATE_RECEIVED, db.GENERATION_STATE_STORED
CAPTIONED, QUEUED = db.GENERATION_STATE_CAPTIONED, db.GENERATION_STATE_QUEUED
FINISHED, DELIVERED = db.GENERATION_STATE_FINISHED, db.GENERATION_STATE_DELIVERED
FAILED, REFUSED = db.GENERATION_STATE_FAILED, db.GENERATION_STATE_REFUSED
CANCELLED = db.GENERATION_STATE_CANCELLED


async def choose(client: Client, pictures: int, *, user: int = USER) -> db.UserSettings:
    request = db.ChangeSettingsRequest(
        bot_id=BOT, user_id=user, settings=db.UserSettings(pictures=pictures)
    )
    return (await client.call(client.stub.ChangeSettings, request)).settings


async def queued(client: Client, pictures: int = 4, *, message_id: int = 1) -> Lease:
    """A set whose jobs are submitted."""
    await choose(client, pictures)
    lease = await client.leased(message_id)
    await client.store(lease)
    patch = db.GenerationPatch(caption=CAPTION, prompt="a cat", negative_prompt="blur")
    await client.advance(lease, STORED, CAPTIONED, patch)
    await client.advance(lease, CAPTIONED, QUEUED)
    return lease


async def finish(client: Client, lease: Lease, place: int, data: bytes = b"") -> db.Item:
    data = data or f"picture {place}".encode()
    info = finalize_info(lease, picture=picture(data), place=place)
    return (await client.send(client.stub.FinalizeGeneration, finalize_parts(info, data))).item


async def end(client: Client, lease: Lease, place: int, **outcome: db.Error) -> db.Item:
    parts = finalize_parts(finalize_info(lease, place=place, **outcome))
    return (await client.send(client.stub.FinalizeGeneration, parts)).item


def album(item: db.Item, first: int = 700) -> db.GenerationPatch:
    shown = [member for member in item.members if member.HasField("picture")]
    return db.GenerationPatch(
        user_notified=True,
        album=[
            db.SentPicture(generation_id=member.id, message_id=at, file_id=f"file-{at}")
            for at, member in enumerate(shown, start=first)
        ],
    )


async def delivered(client: Client, **which: int) -> db.Item:
    lease = await queued(client, **which)
    for place in range(1, lease.item.generation.pictures + 1):
        item = await finish(client, lease, place)
    await client.advance(lease, FINISHED, FINISHED, album(item))
    patch = db.GenerationPatch(choices_message_id=790)
    await client.advance(lease, FINISHED, DELIVERED, patch)
    return await client.close(lease)


async def test_a_photo_makes_as_many_pictures_as_its_user_has_chosen(client: Client) -> None:
    assert (await client.receive(1)).item.generation.pictures == 1
    assert (await choose(client, 4)).pictures == 4
    assert (await client.receive(2)).item.generation.pictures == 4
    assert (await client.receive(3, user=43)).item.generation.pictures == 1
    assert (await client.receive(2)).item.generation.pictures == 4  # the same row


async def test_what_is_chosen_of_one_thing_leaves_the_other(client: Client) -> None:
    await choose(client, 2)
    assert await client.settings(db.DIAL_TWIN) == db.DIAL_TWIN
    assert (await choose(client, 0)) == db.UserSettings(dial=db.DIAL_TWIN, pictures=2)
    for wrong in (-1, 3, 5):
        answer = await refusal(choose(client, wrong))
        assert answer == (INVALID, "INVALID_ARGUMENT", ["settings.pictures"])


async def test_each_picture_has_a_row_of_its_own_and_the_last_one_ends_the_set(
    client: Client,
) -> None:
    lease = await queued(client)
    set_id = lease.item.generation.id
    for place in (2, 1, 4):
        item = await finish(client, lease, place)
        assert item.generation.state == QUEUED
    item = await finish(client, lease, 3)
    assert item.generation.state == FINISHED
    assert [member.place for member in item.members] == [1, 2, 3, 4]
    assert [member.id for member in item.members] == [
        str(uuid.uuid5(uuid.UUID(set_id), str(place))) for place in (1, 2, 3, 4)
    ]
    for member in item.members:
        assert (member.state, member.set_id, member.pictures) == (FINISHED, set_id, 1)
        assert (member.parameters.prompt, member.parameters.negative_prompt) == ("a cat", "blur")
        assert member.picture.seed == 7
    _, data = await client.image(generation_id=item.members[1].id)
    assert data == b"picture 2"


async def test_the_same_outcome_again_changes_nothing(client: Client, blobs: Path) -> None:
    lease = await queued(client, 2)
    first = await finish(client, lease, 1)
    assert await finish(client, lease, 1) == first
    failed = await end(client, lease, 2, failed=db.Error(code="gave-up"))
    assert await end(client, lease, 2, failed=db.Error(code="gave-up")) == failed
    assert (await refusal(finish(client, lease, 2)))[1] == "TRANSITION_NOT_ALLOWED"
    assert (
        files(blobs) == sorted([lease.item.photo.id, first.generation.id]) or len(files(blobs)) == 2
    )


@pytest.mark.parametrize("place", [0, 5, -1])
async def test_there_are_no_other_places(client: Client, place: int) -> None:
    lease = await queued(client)
    answer = await refusal(finish(client, lease, place))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["info.place"])


async def test_a_single_picture_has_no_place(client: Client) -> None:
    lease = await queued(client, 1)
    answer = await refusal(finish(client, lease, 1))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["info.place"])


@pytest.mark.parametrize(
    ("outcomes", "state", "code"),
    [
        ([{"failed": "gave-up"}, {}], FINISHED, ""),
        ([{"failed": "gave-up"}, {"failed": "other"}], FAILED, "gave-up"),
        ([{"refused": "refused-by-safety"}, {"failed": "gave-up"}], FAILED, "gave-up"),
        ([{"refused": "refused-by-safety"}] * 2, REFUSED, "refused-by-safety"),
    ],
)
async def test_a_set_ends_as_its_pictures_do(
    client: Client, outcomes: list[dict[str, str]], state: db.GenerationState, code: str
) -> None:
    lease = await queued(client, 2)
    for place, outcome in enumerate(outcomes, start=1):
        errors: dict[str, Any] = {name: db.Error(code=code) for name, code in outcome.items()}
        item = await (end if errors else finish)(client, lease, place, **errors)
    assert item.generation.state == state
    assert item.generation.error.code == code


async def test_it_is_leased_told_and_closed_as_one(client: Client) -> None:
    lease = await queued(client)
    await finish(client, lease, 1)
    (again,) = await client.lease()
    assert [member.place for member in again.item.members] == [1]
    (shown,) = await client.status()
    assert shown.generation.id == lease.item.generation.id
    for place in (2, 3, 4):
        item = await finish(client, lease, place)
    await client.advance(lease, FINISHED, FINISHED, album(item))
    await client.advance(lease, FINISHED, DELIVERED)
    closed = await client.close(lease)
    assert {member.state for member in closed.members} == {DELIVERED}
    assert all(member.HasField("closed_at") for member in closed.members)
    assert await client.lease() == []
    assert [item.generation.id for item in (await client.history()).items] == [
        member.id for member in reversed(closed.members)
    ]


async def test_each_picture_counts_for_the_users_bound(client: Client) -> None:
    """Here that is 10; what has no room is left out."""
    await choose(client, 4)
    counts = [(await client.receive(n)).item.generation.pictures for n in range(1, 4)]
    assert counts == [4, 4, 2]
    assert (await refusal(client.receive(4)))[1] == "TOO_MANY_UNFINISHED"


async def test_an_album_of_photos_comes_whole(client: Client) -> None:
    await choose(client, 4)
    made = [
        (await client.receive(n, media_group_id="a")).item.generation.pictures for n in range(1, 9)
    ]
    assert made == [4, 4, 2] + [1] * 5


async def test_what_is_painted_again_is_one_or_as_many_as_are_wanted(client: Client) -> None:
    parent = (await delivered(client, pictures=2)).members[0].id
    one = (await client.press(parent, "1")).item.generation
    several = (await client.press(parent, "2", "other", several=True)).item.generation
    words = (await client.create(several=True)).item.generation
    assert (one.pictures, several.pictures, words.pictures) == (1, 2, 2)


async def test_cancelling_a_set_leaves_no_picture_of_it(client: Client, blobs: Path) -> None:
    lease = await queued(client)
    await finish(client, lease, 1)
    await end(client, lease, 2, failed=db.Error(code="gave-up"))
    cancelled = await client.cancel(lease.item.generation.id)
    assert (cancelled.cancelled_count, cancelled.too_late_count) == (4, 0)
    (item,) = cancelled.cancelled
    assert [member.state for member in item.members] == [CANCELLED, FAILED]
    assert not any(member.HasField("picture") for member in item.members)
    assert (await client.history()).count == 0
    assert len(files(blobs)) <= 2  # until what is pending is swept


async def test_messages_lead_to_the_pictures_and_to_the_set(client: Client) -> None:
    item = await delivered(client)
    second = await client.get(message_id=701)
    assert (second.item.generation.id, second.kind) == (
        item.members[1].id,
        db.MESSAGE_KIND_PICTURE,
    )
    assert second.item.generation.picture.file_id == "file-701"
    choices = await client.get(message_id=790)
    assert (choices.item.generation.id, choices.kind) == (
        item.generation.id,
        db.MESSAGE_KIND_CHOICES,
    )
    assert len(choices.item.members) == 4


async def test_an_album_is_of_members_alone_and_no_message_is_anothers(client: Client) -> None:
    lease = await queued(client, 2)
    for place in (1, 2):
        item = await finish(client, lease, place)
    wrong = db.GenerationPatch(
        album=[db.SentPicture(generation_id=lease.item.generation.id, message_id=7)]
    )
    answer = await refusal(client.advance(lease, FINISHED, FINISHED, wrong))
    assert answer == (INVALID, "INVALID_ARGUMENT", ["patch.album"])
    other = await delivered(client, message_id=2)
    assert other.members
    taken = await refusal(client.advance(lease, FINISHED, FINISHED, album(item)))
    assert taken[1] == "MESSAGE_TAKEN"


async def test_deleting_one_leaves_the_others(client: Client) -> None:
    item = await delivered(client)
    request = db.DeleteGenerationRequest(
        bot_id=BOT, chat_id=CHAT, user_id=USER, generation_id=item.members[2].id
    )
    left = await client.call(client.stub.DeleteGeneration, request)
    assert [*left.message_ids] == [702]
    found = (await client.get(generation_id=item.generation.id)).item
    assert [member.HasField("picture") for member in found.members] == [True, True, False, True]


async def test_nothing_of_an_unfinished_set_is_deleted(client: Client) -> None:
    lease = await queued(client, 2)
    first = (await finish(client, lease, 1)).members[0]
    assert (await refusal(client.delete(first.id)))[1] == "NOT_CLOSED"
    item = await end(client, lease, 2, failed=db.Error(code="gave-up"))
    assert item.generation.state == FINISHED
    assert (await refusal(client.delete(first.id)))[1] == "NOT_CLOSED"
    await client.advance(lease, FINISHED, DELIVERED, album(item))
    await client.close(lease)
    assert (await client.delete(first.id)).generation.HasField("deleted_at")


async def test_forgetting_a_user_takes_sets_and_members(client: Client, blobs: Path) -> None:
    await delivered(client)
    forgotten = await client.forget()
    assert (forgotten.photos, forgotten.generations) == (1, 5)
    assert files(blobs) == []
