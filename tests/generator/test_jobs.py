"""PUT, GET, DELETE of a job: the contract line by line."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from generator.executors.base import Task
from generator.tables import Job
from tests.generator.house import XML, House, code, element, house, job, text
from tests.generator.scripted import ScriptedExecutor, png_of


async def test_a_new_job_is_accepted(home: House) -> None:
    home.executor.loadable.clear()
    identity = uuid4()
    response = await home.client.put(f"/v1/jobs/{identity}", content=job(), headers=XML)
    assert response.status_code == 202
    assert response.headers["location"] == f"/v1/jobs/{identity}"
    assert int(response.headers["retry-after"]) > 0
    assert response.headers["content-type"] == "application/xml"
    state = element(response)
    assert state.get("id") == str(identity)
    assert state.get("state") in {"queued", "running"}


async def test_defaults_are_filled_in_and_the_seed_is_chosen_once(home: House) -> None:
    identity = await home.put(job("two dogs"))
    state = await home.reach(identity, "running")
    seed = int(text(state, "seed") or "")
    assert home.executor.tasks == [Task("two dogs", "", 64, 72, 20, 7.5, seed)]
    await home.put(job("two dogs"), identity)
    assert text(await home.get(identity), "seed") == str(seed)


async def test_what_is_asked_for_is_what_is_computed(home: House) -> None:
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
    identity = await home.put(body)
    state = await home.reach(identity, "running")
    assert home.executor.tasks == [Task("a", "b", 1024, 64, 150, 30.0, 2**63 - 1)]
    assert text(state, "owner") == "me"
    assert text(state, "model") == "scripted"
    assert text(state, "seed") == str(2**63 - 1)
    assert state.get("attempt") == "1"


async def test_the_same_job_again_is_answered_the_same(home: House) -> None:
    blocker = await home.put()
    await home.reach(blocker, "running")
    identity = uuid4()
    spellings = [job(guidance="7.5", seed=1), job(guidance="+7.50", seed=" 01 ")]
    answers = [
        await home.client.put(f"/v1/jobs/{identity}", content=body, headers=XML)
        for body in spellings
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    for header in ("location", "retry-after"):
        assert answers[0].headers[header] == answers[1].headers[header]


async def test_the_same_job_again_is_answered_when_it_is_finished(home: House) -> None:
    home.executor.go()
    identity = await home.put()
    await home.reach(identity, "finished")
    again = await home.client.put(f"/v1/jobs/{identity}", content=job(), headers=XML)
    assert again.status_code == 202
    assert element(again).get("state") == "finished"
    assert len(home.executor.tasks) == 1


@pytest.mark.parametrize("other", [job("a dog"), job(steps=20), job(negative="")])
async def test_another_job_under_a_known_id_is_a_conflict(home: House, other: bytes) -> None:
    identity = await home.put(job())
    response = await home.client.put(f"/v1/jobs/{identity}", content=other, headers=XML)
    assert response.status_code == 409
    assert code(response) == "job-conflict"


async def test_an_id_is_the_same_in_either_case(home: House) -> None:
    identity = await home.put()
    response = await home.client.get(f"/v1/jobs/{str(identity).upper()}")
    assert element(response).get("id") == str(identity)


async def test_a_full_queue_refuses_new_jobs_only(tmp_path: Path) -> None:
    async with house(tmp_path, max_queue=2) as home:
        first, second = await home.put(job("1")), await home.put(job("2"))
        refused = await home.client.put(f"/v1/jobs/{uuid4()}", content=job(), headers=XML)
        assert refused.status_code == 429
        assert code(refused) == "queue-full"
        assert int(refused.headers["retry-after"]) > 0
        refused = await home.client.post("/generate_image", content=job(), headers=XML)
        assert refused.status_code == 429
        await home.put(job("1"), first)
        conflict = await home.client.put(f"/v1/jobs/{second}", content=job("1"), headers=XML)
        assert conflict.status_code == 409
        home.executor.go()
        await home.reach(second, "finished")
        await home.put(job("3"))


async def test_a_state_has_an_entity_tag(home: House) -> None:
    identity = await home.put(job(steps=3))
    await home.reach(identity, "running")
    first = await home.client.get(f"/v1/jobs/{identity}")
    assert int(first.headers["retry-after"]) > 0
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    same = await home.client.get(f"/v1/jobs/{identity}", headers=known)
    assert same.status_code == 304
    assert same.content == b""
    assert same.headers["etag"] == first.headers["etag"]
    home.executor.step()
    await home.at_step(identity, 1)
    changed = await home.client.get(f"/v1/jobs/{identity}", headers=known)
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    home.executor.go()
    await home.reach(identity, "finished")
    assert "retry-after" not in (await home.client.get(f"/v1/jobs/{identity}")).headers


async def test_progress_position_and_time_left_are_told(home: House) -> None:
    running, waiting = await home.put(job(steps=4)), await home.put(job(steps=10))
    state = await home.reach(running, "running")
    assert text(state, "position") == "0"
    assert text(state, "eta-seconds") is None  # nothing was measured yet
    assert text(await home.get(waiting), "eta-seconds") is None
    home.executor.step(2)
    state = await home.at_step(running, 2)
    assert float(text(state, "eta-seconds") or "nan") >= 0
    state = await home.get(waiting)
    assert state.get("state") == "queued"
    assert state.get("attempt") == "0"
    assert text(state, "position") == "1"
    assert float(text(state, "eta-seconds") or "nan") >= 0


async def test_many_states_come_in_one_answer_in_the_order_asked(home: House) -> None:
    known, unknown = await home.put(), uuid4()
    await home.reach(known, "running")
    ids = [str(unknown), str(known).upper(), str(known)]
    response = await home.client.get("/v1/jobs", params={"id": ids})
    states = [(child.get("id"), child.get("state")) for child in element(response)]
    assert states == [(str(unknown), "unknown"), *[(str(known), "running")] * 2]


async def test_two_hundred_states_can_be_asked_for_and_no_more(home: House) -> None:
    ids = [str(uuid4()) for _ in range(201)]
    response = await home.client.get("/v1/jobs", params={"id": ids[:200]})
    assert len(element(response)) == 200
    for query in ({"id": ids}, {}, {"id": ["nonsense"]}, {"id": [ids[0], ""]}):
        response = await home.client.get("/v1/jobs", params=query)
        assert response.status_code == 422
        assert code(response) == "invalid-query"


async def test_the_picture_is_immutable(home: House) -> None:
    home.executor.go()
    identity = await home.put(job(seed=5))
    state = await home.reach(identity, "finished")
    png = png_of(home.executor.tasks[0])
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
    response = await home.client.get(path, headers={"Accept": "image/png"})
    assert response.content == png
    assert response.headers["content-type"] == "image/png"
    assert response.headers["etag"] == f'"{digest}"'
    assert "immutable" in response.headers["cache-control"]
    same = await home.client.get(path, headers={"If-None-Match": f'"{digest}"'})
    assert (same.status_code, same.content) == (304, b"")
    head = await home.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(png))


async def test_a_missing_picture_says_why(home: House) -> None:
    unknown = await home.client.get(f"/v1/jobs/{uuid4()}/image")
    assert (unknown.status_code, code(unknown)) == (404, "unknown-job")
    identity = await home.put()
    early = await home.client.get(f"/v1/jobs/{identity}/image")
    assert (early.status_code, code(early)) == (404, "no-image")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"half")])
async def test_a_job_whose_picture_is_lost_can_be_submitted_again(
    home: House, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    home.executor.go()
    identity = await home.put()
    await home.reach(identity, "finished")
    (picture,) = (home.folder / "results").iterdir()
    damage(picture)
    lost = await home.client.get(f"/v1/jobs/{identity}/image")
    assert (lost.status_code, code(lost)) == (404, "no-image")
    assert f"{identity} is forgotten" in caplog.text
    assert not picture.exists()
    unknown = await home.client.get(f"/v1/jobs/{identity}")
    assert (unknown.status_code, code(unknown)) == (404, "unknown-job")
    await home.put(job_id=identity)
    await home.reach(identity, "finished")
    again = await home.client.get(f"/v1/jobs/{identity}/image")
    assert again.content == png_of(home.executor.tasks[1])


async def test_a_job_that_was_cancelled_is_said_to_be_also_if_it_is_removed_at_once(
    home: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = await home.put()
    cancel = home.table.cancel

    async def cancel_and_lose(job_id: UUID) -> Job | None:
        cancelled = await cancel(job_id)
        await home.table.remove(job_id)  # another DELETE came in between
        return cancelled

    monkeypatch.setattr(home.table, "cancel", cancel_and_lose)
    response = await _delete(home, identity)
    assert (response.status_code, element(response).get("state")) == (200, "cancelled")


async def _delete(home: House, identity: object) -> httpx.Response:
    return await home.client.delete(f"/v1/jobs/{identity}")


async def test_a_queued_job_is_cancelled(home: House) -> None:
    running, queued = await home.put(), await home.put()
    await home.reach(running, "running")
    response = await _delete(home, queued)
    assert response.status_code == 200
    assert element(response).get("state") == "cancelled"
    home.executor.go()
    await home.reach(running, "finished")
    assert len(home.executor.tasks) == 1


async def test_a_running_job_stops_within_a_step(home: House) -> None:
    running, queued = await home.put(), await home.put(job("next"))
    await home.reach(running, "running")
    response = await _delete(home, running)
    assert response.status_code == 200
    assert element(response).get("state") == "cancelled"
    await home.reach(queued, "running")  # without another step of the first
    assert (await home.get(running)).get("state") == "cancelled"


async def test_an_ended_job_is_removed_with_its_picture(home: House) -> None:
    home.executor.go()
    identity = await home.put()
    await home.reach(identity, "finished")
    assert list((home.folder / "results").iterdir())
    response = await _delete(home, identity)
    assert (response.status_code, response.content) == (204, b"")
    assert not list((home.folder / "results").iterdir())
    for response in (
        await _delete(home, identity),
        await home.client.get(f"/v1/jobs/{identity}"),
    ):
        assert (response.status_code, code(response)) == (404, "unknown-job")


async def test_an_id_can_be_used_anew_after_its_removal(home: House) -> None:
    identity = await home.put(job("old"))
    await home.reach(identity, "running")
    assert (await _delete(home, identity)).status_code == 200
    assert (await _delete(home, identity)).status_code == 204
    await home.put(job("new"), identity)
    home.executor.go()
    await home.reach(identity, "finished")
    assert [task.prompt for task in home.executor.tasks] == ["old", "new"]


async def test_the_schema_and_health_need_no_token(home: House) -> None:
    home.client.headers.pop("authorization")
    schema = await home.client.get("/v1/schema.xsd")
    assert schema.headers["content-type"] == "application/xml"
    assert element(schema).get("targetNamespace") == "urn:lookalike:generator:1"
    assert (await home.client.get("/health/live")).status_code == 200


async def test_jobs_are_taken_before_the_model_is_loaded(tmp_path: Path) -> None:
    executor = ScriptedExecutor()
    executor.loadable.clear()
    async with house(tmp_path, executor) as home:
        ready = await home.client.get("/health/ready")
        assert (ready.status_code, code(ready)) == (503, "not-ready")
        assert (await home.client.get("/health/live")).status_code == 200
        identity = await home.put()
        assert (await home.get(identity)).get("state") == "queued"
        executor.loadable.set()
        await home.reach(identity, "running")
        assert (await home.client.get("/health/ready")).status_code == 200
