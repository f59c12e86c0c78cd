"""The machine's clock is set, back or forward, and nobody waits for it."""

from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.chats import cat, delivered
from tests.sandbox.client import People
from tests.stack import checked_logs, running_stack

_LIBRARY: Final = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

pytestmark = pytest.mark.skipif(_LIBRARY is None, reason="libfaketime is not installed")


@pytest.mark.parametrize("jump", ["-3600", "+777600"], ids=["an hour back", "nine days on"])
async def test_pictures_come_when_the_clock_jumps(tmp_path: Path, jump: str) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    faketime = {
        "LD_PRELOAD": str(_LIBRARY),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    settings = {"CAPTIONER": "offline", **faketime}
    with running_stack(tmp_path / "home", settings) as stack, checked_logs(stack):
        async with People(stack.url("sandbox")) as people:
            chat = await people.add_user()
            await delivered(people, await people.send_photo(chat, cat()))
            clock.write_text(jump)
            await delivered(people, await people.send_photo(chat, cat()))
            stack.kill("bot")  # whose leases are to be free at the start of the next
            photo = await people.send_photo(chat, cat())
            stack.start("bot")
            await delivered(people, photo)
            clock.write_text("+0")
            await delivered(people, await people.send_photo(chat, cat()))
