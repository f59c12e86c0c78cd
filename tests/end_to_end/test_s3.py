"""All services with their bytes in S3, which is away for a while."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lookalike.processes.stack import Stack
from tests.end_to_end.chats import EN, ask, cat, delivered, idle, press
from tests.s3 import KEY_ID, S3, SECRET
from tests.sandbox.client import People
from tests.stack import checked_logs, create_stack, read_log
from tests.waiting import eventually

pytestmark = pytest.mark.scale


@pytest.fixture
def stack(tmp_path: Path, s3: S3) -> Iterator[Stack]:
    bytes_in = {
        "BLOB_URL": f"{s3.url}/photos",
        "GENERATOR_RESULTS_URL": f"{s3.url}/pictures",
        "CAPTIONER": "offline",
    }
    with create_stack(tmp_path / "home", s3.environment | bytes_in) as stack:
        stack.start()
        with checked_logs(stack):
            yield stack
        s3.come_back()
        assert set(stack.stop().values()) == {0}


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[People]:
    async with People(stack.url("sandbox")) as people:
        yield people


async def test_photos_become_pictures_whatever_is_away_and_go_with_their_user(
    people: People, stack: Stack, s3: S3
) -> None:
    chat = await people.add_user()
    await delivered(people, await people.send_photo(chat, cat()))
    await idle(people, chat)  # else a file may be left to the sweep, which takes an hour
    stored = s3.keys()
    assert sum(name.startswith("photos/") for name in stored) == 2
    s3.go_away()
    waiting = await people.send_photo(chat, cat(200))

    async def refused() -> bool | None:
        return True if "S3 does not answer" in read_log(stack, "dbservice") else None

    await eventually(refused)
    s3.come_back()
    await delivered(people, waiting)
    await idle(people, chat)
    await press(people, await ask(people, chat, "/forget"), EN.privacy.forget_button)

    async def gone() -> bool | None:
        return None if s3.keys() else True

    await eventually(gone, 90)
    for name in ("bot", "dbservice", "generator"):
        log = read_log(stack, name)
        assert not [secret for secret in (KEY_ID, SECRET, s3.endpoint) if secret in log]
