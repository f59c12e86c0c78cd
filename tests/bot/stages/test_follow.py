"""queued and running: a look at the job."""

import asyncio
import contextlib
import itertools
from pathlib import Path

import pytest

from bot.clients.documents import Job
from bot.clients.generator import GeneratorClient, GeneratorUnavailable, _Request
from bot.health import Health
from bot.placeholder import nothing
from bot.services import Services
from bot.stages import follow, submit
from bot.texts import of
from bot.work import status_message
from bot.work.item import WorkItem
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import CAPTION, Desk, open_desk, picture
from tests.bot.mortal import Killed, Process
from tests.generator.scripted import ScriptedExecutor
from tests.waiting import eventually

EN = of("en")
LOOK = "generator GET"


async def running(executor: ScriptedExecutor) -> None:
    """Waits until the executor has begun a job."""

    async def look() -> bool | None:
        return bool(executor.tasks) or None

    await eventually(look)


async def test_the_answer_to_the_submission_is_as_good_as_a_look(desk: Desk) -> None:
    item = await desk.captioned()
    await submit.run(item, desk.services)
    await follow.run(item, desk.services)
    assert desk.listener.calls[LOOK] == 0
    (status,) = await desk.messages()
    assert status.id == item.generation.status_message_id
    assert [button.text for button in status.buttons] == [EN.cancel_button]
    await follow.run(item, desk.services)
    assert desk.listener.calls[LOOK] == 1


async def test_progress_is_shown_in_one_message(desk: Desk) -> None:
    item = await desk.queued(parameters=db.Parameters(steps=4))
    await running(desk.executor)
    await follow.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_RUNNING
    assert await desk.texts() == ["Painting ░░░░░░░░░░ 0%"]
    desk.executor.step(2)

    async def half_done() -> bool | None:
        return (await desk.services.generator.get_job(item.id)).step == 2 or None

    await eventually(half_done)
    await follow.run(item, desk.services)
    (text,) = await desk.texts()
    assert text.startswith("Painting ▓▓▓▓▓░░░░░ 50%")
    assert item.memory.shown == text


async def test_an_edit_that_changes_nothing_is_not_sent(desk: Desk) -> None:
    item = await desk.queued()
    await running(desk.executor)
    for _ in range(3):
        await follow.run(item, desk.services)
    assert [method for method, _ in desk.listener.sends] == ["sendMessage"]


async def test_a_status_message_that_was_deleted_stays_deleted(desk: Desk) -> None:
    item = await desk.queued()
    await running(desk.executor)
    await follow.run(item, desk.services)
    (status,) = await desk.messages()
    await desk.people.delete(status)
    item.memory.shown = "another text"
    await follow.run(item, desk.services)
    assert item.memory.dismissed
    item.memory.shown = "another text"
    await follow.run(item, desk.services)
    assert await desk.messages() == []


PREVIEW = picture("JPEG", 64, 64)


@pytest.fixture
async def seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> WorkItem:
    """A generation whose status message is there, and whose job can be seen after two steps."""
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 0.0)
    desk.executor.previews = {2: PREVIEW, 3: picture("JPEG", 80, 64)}
    item = await desk.queued(parameters=db.Parameters(steps=4))
    await running(desk.executor)
    await follow.run(item, desk.services)
    desk.executor.step(2)

    async def has_preview() -> bool | None:
        return (await desk.services.generator.get_job(item.id)).preview or None

    await eventually(has_preview)
    return item


async def the_picture(desk: Desk, text: str) -> bytes:
    """What the only message shows, with this under it and the Cancel button."""
    (status,) = await desk.messages()
    assert status.caption.startswith(text)
    assert [button.text for button in status.buttons] == [EN.cancel_button]
    assert status.photo is not None
    return await desk.people.original(status.photo)


async def test_the_text_becomes_the_preview_and_goes_with_the_picture(
    desk: Desk, seen: WorkItem
) -> None:
    await follow.run(seen, desk.services)
    assert await the_picture(desk, "Painting ▓▓▓▓▓░░░░░ 50%") == PREVIEW
    await follow.run(seen, desk.without_generator())
    assert await the_picture(desk, EN.waiting("generator-unavailable")) == PREVIEW
    desk.executor.step()

    async def goes_on() -> bool | None:
        return (await desk.services.generator.get_job(seen.id)).step == 3 or None

    await eventually(goes_on)
    # Another process finds it as it is, and its first edit may be one without a preview.
    again = await desk.lease(seen.id)
    again.memory.shown = ""
    await status_message.show(again, desk.services.messenger, "something")
    assert await the_picture(desk, "something") == PREVIEW
    await follow.run(again, desk.services)
    assert await the_picture(desk, "Painting ▓▓▓▓▓▓▓░░░ 75%") == desk.executor.previews[3]
    await status_message.remove(again, desk.services.messenger)
    assert await desk.messages() == []


async def test_a_preview_that_is_too_old_to_be_deleted_shows_nothing(
    desk: Desk, seen: WorkItem
) -> None:
    await follow.run(seen, desk.services)
    (status,) = await desk.messages()
    await desk.people.age(status, 49)
    await status_message.remove(seen, desk.services.messenger)
    (left,) = await desk.messages()
    assert left.photo is not None
    assert (left.caption, left.buttons) == (EN.over, [])
    assert await desk.people.original(left.photo) == nothing()


async def test_a_preview_is_fetched_for_an_edit_alone(
    desk: Desk, seen: WorkItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = desk.listener.calls[LOOK]
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 3600.0)
    await desk.services.messenger._pace.may_edit(desk.chat)
    await follow.run(seen, desk.services)  # too soon
    monkeypatch.setattr("bot.pace._PRIVATE_SECONDS", 0.0)
    seen.memory.dismissed = True
    await follow.run(seen, desk.services)  # nobody looks
    assert desk.listener.calls[LOOK] == before + 2
    seen.memory.dismissed = False
    await follow.run(seen, desk.services)
    await follow.run(seen, desk.services)  # which would change nothing
    assert desk.listener.calls[LOOK] == before + 5
    methods = [method for method, _ in desk.listener.sends]
    assert methods == ["sendMessage", "editMessageMedia"]


async def test_a_preview_that_cannot_be_had_or_shown_leaves_the_text(
    desk: Desk, seen: WorkItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = {"method": "editMessageMedia", "description": "IMAGE_PROCESS_FAILED"}
    await desk.people.add_fault("refuse", **refuse)
    await follow.run(seen, desk.services)
    (text,) = await desk.texts()
    assert text.startswith("Painting ▓▓▓▓▓░░░░░ 50%")

    async def away(_client: GeneratorClient, _job_id: str) -> bytes | None:
        raise GeneratorUnavailable("as the test says")

    monkeypatch.setattr(GeneratorClient, "get_preview", away)
    await status_message.show(seen, desk.services.messenger, "something")
    await follow.run(seen, desk.services)
    assert await desk.texts() == [text]
    assert desk.services.generator_health.code == Health.OK


async def test_a_crash_between_any_two_calls_leaves_no_preview(desk: Desk, seen: WorkItem) -> None:
    async def end(item: WorkItem, services: Services) -> None:
        await status_message.remove(item, services.messenger)

    for act in (follow.run, end):
        for calls in itertools.count(1):
            process = Process(desk, calls)
            item = await process.lease(seen.id)
            with contextlib.suppress(Killed):
                await act(item, process.services)
                break
        assert calls > 1
    assert await desk.messages() == []


async def test_a_job_that_nobody_knows_is_submitted_again(desk: Desk) -> None:
    item = await desk.queued()
    await desk.services.generator.delete(item.id)
    await follow.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_CAPTIONED


async def test_a_job_that_failed_ends_with_its_code(tmp_path: Path) -> None:
    async with open_desk(tmp_path, generator_max_attempts=1) as desk:
        desk.executor.poison = CAPTION.text
        desk.executor.go()
        item = await desk.queued()
        await desk.job_state(item, "failed")
        await follow.run(item, desk.services)
        assert item.state == db.GENERATION_STATE_FAILED
        assert item.generation.error.code == "gave-up"


async def test_a_picture_that_the_safety_filter_held_back_is_no_failure(desk: Desk) -> None:
    item = await desk.queued()
    refused = Job("refused", error_code="refused-by-safety", error="flagged")
    item.memory.job_submitted(item.id, refused)
    await follow.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_REFUSED
    assert item.generation.error.code == "refused-by-safety"


async def test_a_job_that_was_cancelled_at_the_generator_failed(desk: Desk) -> None:
    item = await desk.queued()
    await desk.services.generator._call(_Request("DELETE", f"/v1/jobs/{item.id}"))
    await follow.run(item, desk.services)
    assert item.generation.error.code == "job-cancelled"


async def test_a_finished_job_is_fetched_at_once(desk: Desk) -> None:
    desk.executor.go()
    item = await desk.queued()
    await desk.job_state(item, "finished")
    await follow.run(item, desk.services)
    assert item.state == db.GENERATION_STATE_FINISHED


async def test_a_generator_that_is_away_is_told_and_looked_for_each_tick(desk: Desk) -> None:
    item = await desk.queued()
    await follow.run(item, desk.without_generator())
    assert await desk.texts() == [EN.waiting("generator-unavailable")]
    assert item.memory.backoff.seconds == 0
    seen = [desk.services.generator_health.code]
    await follow.run(item, desk.services)
    seen.append(desk.services.generator_health.code)
    assert seen == [Health.UNAVAILABLE, Health.OK]


@pytest.mark.parametrize(("count", "requests"), [(3, 1), (201, 2)])
async def test_all_that_look_in_one_turn_share_their_requests(
    desk: Desk, count: int, requests: int
) -> None:
    item = await desk.captioned()
    ids = [item.id, *(f"00000000-0000-4000-8000-{n:012}" for n in range(1, count))]
    jobs = await asyncio.gather(*(desk.services.generator.get_job(job_id) for job_id in ids))
    assert {job.state for job in jobs} == {"unknown"}
    assert desk.listener.calls[LOOK] == requests


async def test_a_lost_lease_stops_it(desk: Desk) -> None:
    item = await desk.queued()
    await status_message.show(item, desk.services.messenger, "something")
    await desk.database.cancel_generations(
        db.CancelGenerationsRequest(
            bot_id=item.photo.bot_id, chat_id=desk.chat, user_id=desk.chat, generation_id=item.id
        )
    )
    await desk.services.generator.delete(item.id)
    with pytest.raises(Exception, match="TRANSITION_NOT_ALLOWED"):
        await follow.run(item, desk.services)
