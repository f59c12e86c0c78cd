"""The generator with its pictures in S3."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from generator.jobs.results import Results
from lookalike.blobs import new_key
from lookalike.errors import StartError
from tests.generator.stack import Stack, serving
from tests.generator.web.test_images import photo, put, sha256
from tests.s3 import KEY_ID, S3, SECRET
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.scale]


@pytest.fixture(autouse=True)
def _access(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
async def stack(tmp_path: Path, s3: S3) -> AsyncIterator[Stack]:
    async with serving(tmp_path, results_url=s3.url) as stack:
        stack.executor.go()
        yield stack


async def finished(stack: Stack) -> str:
    """The path of a finished job."""
    identity = await stack.put()
    await stack.reach(identity, "finished")
    return f"/v1/jobs/{identity}"


async def test_a_picture_is_there_until_its_job_is_deleted(stack: Stack, s3: S3) -> None:
    path = await finished(stack)
    answer = await stack.client.get(f"{path}/image")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["etag"] == f'"{sha256(answer.content)}"'
    assert len(s3.keys()) == 1
    assert (await stack.client.delete(path)).status_code == 204
    assert s3.keys() == []


async def test_pictures_to_start_from_lie_there_as_well(stack: Stack, s3: S3) -> None:
    data = photo()
    assert (await put(stack, data)).status_code == 201
    assert (await put(stack, data)).status_code == 200
    assert len(s3.keys()) == 1
    path = f"/v1/images/{sha256(data)}"
    assert (await stack.client.head(path)).status_code == 200
    assert (await stack.client.delete(path)).status_code == 204
    assert s3.keys() == []


async def test_a_picture_waits_until_it_is_back(
    stack: Stack, s3: S3, caplog: pytest.LogCaptureFixture
) -> None:
    s3.go_away()
    identity = await stack.put()

    async def told() -> bool | None:
        return True if "Cannot write" in caplog.text else None

    assert await eventually(told)
    assert (await stack.get(identity)).get("state") == "running"
    s3.come_back()
    state = await stack.reach(identity, "finished")
    assert state.get("attempt") == "1"
    assert len(stack.executor.tasks) == 1
    for secret in (KEY_ID, SECRET, s3.endpoint):
        assert secret not in caplog.text


async def test_while_it_is_away_pictures_are_unavailable_and_not_lost(stack: Stack, s3: S3) -> None:
    path = await finished(stack)
    s3.go_away()
    answer = await stack.client.get(f"{path}/image")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    s3.come_back()
    assert (await stack.client.get(f"{path}/image")).status_code == 200


async def test_a_bucket_that_goes_missing_loses_no_job(stack: Stack, s3: S3) -> None:
    path = await finished(stack)
    s3.remove_bucket()
    assert (await stack.client.get(f"{path}/image")).status_code == 503
    assert (await stack.client.get(path)).status_code == 200


async def test_what_no_row_names_is_swept(stack: Stack, s3: S3) -> None:
    await finished(stack)
    (named,) = s3.keys()
    old, young = new_key(str(uuid4()), 1), new_key(str(uuid4()), 1)
    for name in (old, young):
        s3.put(name)
    s3.age(old, 100)
    results = Results(stack.generator.blobs, ())
    assert await results.stored(50) == [old]
    s3.age(named, 100)
    assert set(await results.stored(50)) == {old, named}


async def test_the_next_start_finds_its_pictures_and_sweeps_the_others(
    tmp_path: Path, s3: S3
) -> None:
    async with serving(tmp_path, results_url=s3.url) as stack:
        stack.executor.go()
        path = await finished(stack)
    (named,) = s3.keys()
    left = new_key(str(uuid4()), 1)
    s3.put(left)
    s3.age(left, 2 * 24 * 3600)
    async with serving(tmp_path, results_url=s3.url) as stack:
        assert (await stack.client.get(f"{path}/image")).status_code == 200
        assert s3.keys() == [named]


async def test_one_that_cannot_be_used_is_one_sentence(tmp_path: Path, s3: S3) -> None:
    with pytest.raises(
        StartError, match="s3://nobodys cannot be used: the bucket is not"
    ) as caught:
        async with serving(tmp_path, results_url="s3://nobodys"):
            pass
    assert caught.value.exit_code == 78
    s3.go_away()
    with pytest.raises(StartError, match="S3 does not answer") as caught:
        async with serving(tmp_path, results_url=s3.url):
            pass
    assert caught.value.exit_code == 75
