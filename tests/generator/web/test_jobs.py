"""PUT, GET, DELETE of a job: the contract line by line."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from generator.jobs.tables import Job
from generator.tasks import Task
from tests.generator.scripted import ScriptedExecutor, png_of
from tests.generator.stack import XML, Stack, code, element, job, serving, text


async def test_a_new_job_is_accepted(stack: Stack) -> None:
    stack.executor.loadable.clear()
    identity = uuid4()
    response = await stack.client.put(f"/v1/jobs/{identity}", content=job(), headers=XML)
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{identity}"
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["content-type"] == "application/xml"
    state = element(response)
    assert state.get("id") == str(identity)
    assert state.get("state") in {"queued", "running"}


async def test_defaults_are_filled_in_and_the_seed_is_chosen_once(stack: Stack) -> None:
    identity = await stack.put(job("two dogs"))
    state = await stack.reach(identity, "running")
    seed = int(text(state, "seed") or "")
    assert stack.executor.tasks == [Task("two dogs", "", 64, 72, 20, 7.5, seed)]
    await stack.put(job("two dogs"), identity)
    assert text(await stack.get(identity), "seed") == str(seed)


async def test_what_is_asked_for_is_what_is_computed(stack: Stack) -> None:
    body = job(
        "a",
        negative="b",
        owner="me",
        preset="balanced",
        width=1024,
        height=64,
        steps=150,
        guidance="30",
        seed=2**63 - 1,
    )
    identity = await stack.put(body)
    state = await stack.reach(identity, "running")
    assert stack.executor.tasks == [Task("a", "b", 1024, 64, 150, 30.0, 2**63 - 1)]
    assert text(state, "owner") == "me"
    assert text(state, "model") == "scripted"
    assert text(state, "seed") == str(2**63 - 1)
    assert state.get("attempt") == "1"


async def test_the_same_job_again_is_answered_the_same(stack: Stack) -> None:
    blocker = await stack.put()
    await stack.reach(blocker, "running")
    identity = uuid4()
    spellings = [job(guidance="7.5", seed=1), job(guidance="+7.50", seed=" 01 ")]
    answers = [
        await stack.client.put(f"/v1/jobs/{identity}", content=body, headers=XML)
        for body in spellings
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    for header in ("location", "retry-after"):
        assert answers[0].headers[header] == answers[1].headers[header]


async def test_the_same_job_again_is_answered_when_it_is_finished(stack: Stack) -> None:
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    again = await stack.client.put(f"/v1/jobs/{identity}", content=job(), headers=XML)
    assert again.status_code == 202
    assert element(again).get("state") == "finished"
    assert len(stack.executor.tasks) == 1


@pytest.mark.parametrize("other", [job("a dog"), job(steps=20), job(negative="")])
async def test_another_job_under_a_known_id_is_a_conflict(stack: Stack, other: bytes) -> None:
    identity = await stack.put(job())
    response = await stack.client.put(f"/v1/jobs/{identity}", content=other, headers=XML)
    assert response.status_code == 409
    assert code(response) == "job-conflict"


async def test_an_id_is_the_same_in_either_case(stack: Stack) -> None:
    identity = await stack.put()
    response = await stack.client.get(f"/v1/jobs/{str(identity).upper()}")
    assert element(response).get("id") == str(identity)


async def test_a_full_queue_refuses_new_jobs_only(tmp_path: Path) -> None:
    async with serving(tmp_path, max_queue=2) as stack:
        first, second = await stack.put(job("1")), await stack.put(job("2"))
        refused = await stack.client.put(f"/v1/jobs/{uuid4()}", content=job(), headers=XML)
        assert refused.status_code == 429
        assert code(refused) == "queue-full"
        assert int(refused.headers["retry-after"]) > 0
        refused = await stack.client.post("/generate_image", content=job(), headers=XML)
        assert refused.status_code == 429
        await stack.put(job("1"), first)
        conflict = await stack.client.put(f"/v1/jobs/{second}", content=job("1"), headers=XML)
        assert conflict.status_code == 409
        stack.executor.go()
        await stack.reach(second, "finished")
        await stack.put(job("3"))


async def test_a_state_has_an_entity_tag(stack: Stack) -> None:
    identity = await stack.put(job(steps=3))
    await stack.reach(identity, "running")
    first = await stack.client.get(f"/v1/jobs/{identity}")
    assert int(first.headers["retry-after"]) > 0
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    same = await stack.client.get(f"/v1/jobs/{identity}", headers=known)
    assert same.status_code == 304
    assert same.content == b""
    assert same.headers["etag"] == first.headers["etag"]
    stack.executor.step()
    await stack.at_step(identity, 1)
    changed = await stack.client.get(f"/v1/jobs/{identity}", headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    stack.executor.go()
    await stack.reach(identity, "finished")
    assert "retry-after" not in (await stack.client.get(f"/v1/jobs/{identity}")).headers


async def test_progress_position_and_time_left_are_told(stack: Stack) -> None:
    running, waiting = await stack.put(job(steps=4)), await stack.put(job(steps=10))
    state = await stack.reach(running, "running")
    assert text(state, "position") == "0"
    assert text(state, "eta-seconds") is None  # nothing was measured yet
    assert text(await stack.get(waiting), "eta-seconds") is None
    stack.executor.step(2)
    state = await stack.at_step(running, 2)
    assert float(text(state, "eta-seconds") or "nan") >= 0
    state = await stack.get(waiting)
    assert state.get("state") == "queued"
    assert state.get("attempt") == "0"
    assert text(state, "position") == "1"
    assert float(text(state, "eta-seconds") or "nan") >= 0


async def test_many_states_come_in_one_answer_in_the_order_asked(stack: Stack) -> None:
    known, unknown = await stack.put(), uuid4()
    await stack.reach(known, "running")
    ids = [str(unknown), str(known).upper(), str(known)]
    response = await stack.client.get("/v1/jobs", params={"id": ids})
    states = [(child.get("id"), child.get("state")) for child in element(response)]
    assert states == [(str(unknown), "unknown"), *[(str(known), "running")] * 2]


async def test_two_hundred_states_can_be_asked_for_and_no_more(stack: Stack) -> None:
    ids = [str(uuid4()) for _ in range(201)]
    response = await stack.client.get("/v1/jobs", params={"id": ids[:200]})
    assert len(element(response)) == 200
    for query in ({"id": ids}, {}, {"id": ["nonsense"]}, {"id": [ids[0], ""]}):
        response = await stack.client.get("/v1/jobs", params=query)
        assert response.status_code == 422
        assert code(response) == "invalid-query"


async def test_the_picture_is_immutable(stack: Stack) -> None:
    stack.executor.go()
    identity = await stack.put(job(seed=5))
    state = await stack.reach(identity, "finished")
    png = png_of(stack.executor.tasks[0])
    digest = hashlib.sha256(png).hexdigest()
    image = state[-1]
    path = f"/v1/jobs/{identity}/image"
    assert dict(image.attrib) == {
        "href": path,
        "media-type": "image/png",
        "width": "64",
        "height": "72",
        "sha256": digest,
    }
    response = await stack.client.get(path, headers={"Accept": "image/png"})
    assert response.content == png
    assert response.headers["content-type"] == "image/png"
    assert response.headers["etag"] == f'"{digest}"'
    assert "immutable" in response.headers["cache-control"]
    same = await stack.client.get(path, headers={"If-None-Match": f'"{digest}"'})
    assert (same.status_code, same.content) == (304, b"")
    head = await stack.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(png))


async def test_a_missing_picture_says_why(stack: Stack) -> None:
    unknown = await stack.client.get(f"/v1/jobs/{uuid4()}/image")
    assert (unknown.status_code, code(unknown)) == (404, "unknown-job")
    identity = await stack.put()
    early = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert (early.status_code, code(early)) == (404, "no-image")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"half")])
async def test_a_job_whose_picture_is_lost_can_be_submitted_again(
    stack: Stack, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    (picture,) = stack.images
    damage(picture)
    lost = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert (lost.status_code, code(lost)) == (404, "no-image")
    assert f"{identity} is deleted" in caplog.text
    assert not picture.exists()
    unknown = await stack.client.get(f"/v1/jobs/{identity}")
    assert (unknown.status_code, code(unknown)) == (404, "unknown-job")
    await stack.put(job_id=identity)
    await stack.reach(identity, "finished")
    again = await stack.client.get(f"/v1/jobs/{identity}/image")
    assert again.content == png_of(stack.executor.tasks[1])


async def test_a_job_that_was_cancelled_is_said_to_be_also_if_it_is_deleted_at_once(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await stack.put()
    cancel = stack.generator.queue.cancel

    async def cancel_and_lose(job_id: UUID) -> Job | None:
        cancelled = await cancel(job_id)
        await stack.generator.queue.delete(job_id)  # another DELETE came in between
        return cancelled

    monkeypatch.setattr(stack.generator.queue, "cancel", cancel_and_lose)
    response = await _delete(stack, identity)
    assert (response.status_code, element(response).get("state")) == (200, "cancelled")


async def _delete(stack: Stack, identity: object) -> httpx.Response:
    return await stack.client.delete(f"/v1/jobs/{identity}")


async def test_a_queued_job_is_cancelled(stack: Stack) -> None:
    running, queued = await stack.put(), await stack.put()
    await stack.reach(running, "running")
    response = await _delete(stack, queued)
    assert response.status_code == 200
    assert element(response).get("state") == "cancelled"
    stack.executor.go()
    await stack.reach(running, "finished")
    assert len(stack.executor.tasks) == 1


async def test_a_running_job_stops_within_a_step(stack: Stack) -> None:
    running, queued = await stack.put(), await stack.put(job("next"))
    await stack.reach(running, "running")
    response = await _delete(stack, running)
    assert response.status_code == 200
    assert element(response).get("state") == "cancelled"
    await stack.reach(queued, "running")  # without another step of the first
    assert (await stack.get(running)).get("state") == "cancelled"


async def test_an_ended_job_is_deleted_with_its_picture(stack: Stack) -> None:
    stack.executor.go()
    identity = await stack.put()
    await stack.reach(identity, "finished")
    assert stack.images
    response = await _delete(stack, identity)
    assert (response.status_code, response.content) == (204, b"")
    assert not stack.images
    for response in (
        await _delete(stack, identity),
        await stack.client.get(f"/v1/jobs/{identity}"),
    ):
        assert (response.status_code, code(response)) == (404, "unknown-job")


async def test_an_id_can_be_used_again_after_it_was_deleted(stack: Stack) -> None:
    identity = await stack.put(job("old"))
    await stack.reach(identity, "running")
    assert (await _delete(stack, identity)).status_code == 200
    assert (await _delete(stack, identity)).status_code == 204
    await stack.put(job("new"), identity)
    stack.executor.go()
    await stack.reach(identity, "finished")
    assert [task.prompt for task in stack.executor.tasks] == ["old", "new"]


async def test_the_schema_and_health_need_no_token(stack: Stack) -> None:
    stack.client.headers.pop("authorization")
    schema = await stack.client.get("/v1/schema.xsd")
    assert schema.headers["content-type"] == "application/xml"
    assert element(schema).get("targetNamespace") == "urn:lookalike:generator:1"
    assert (await stack.client.get("/health/live")).status_code == 200


async def test_jobs_are_taken_before_the_model_is_loaded(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.loadable.clear()
    async with serving(tmp_path, executor) as stack:
        ready = await stack.client.get("/health/ready")
        assert (ready.status_code, code(ready)) == (503, "not-ready")
        assert (await stack.client.get("/health/live")).status_code == 200
        identity = await stack.put()
        assert (await stack.get(identity)).get("state") == "queued"
        executor.loadable.set()
        await stack.reach(identity, "running")
        assert (await stack.client.get("/health/ready")).status_code == 200
