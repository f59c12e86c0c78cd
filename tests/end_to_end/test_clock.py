"""The machine's clock is set, back or forward, and nobody waits for it."""

from pathlib import Path
from typing import Final

import pytest

from tests.end_to_end.chats import cat, delivered
from tests.sandbox.client import People
from tests.stack import checked_logs, running_stack

_LIBRARY: Final = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

_PATIENCE = 170  # seconds; under libfaketime each call over gRPC takes half a second or more

pytestmark = [
    pytest.mark.skipif(_LIBRARY is None, reason="libfaketime is not installed"),
    pytest.mark.timeout(4 * _PATIENCE),
]


@pytest.mark.long
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
    settings = {"CAPTIONER": "offline"}
    # Telegram is on another machine.
    with running_stack(tmp_path / "home", settings, "sandbox") as stack, checked_logs(stack):
        stack.start(**faketime)
        async with People(stack.url("sandbox")) as people:
            chat = await people.add_user()
            await delivered(people, await people.send_photo(chat, cat()), _PATIENCE)
            clock.write_text(jump)
            await delivered(people, await people.send_photo(chat, cat()), _PATIENCE)
            stack.kill("bot")  # whose leases are to be free at the start of the next
            photo = await people.send_photo(chat, cat())
            stack.start("bot", **faketime)
            await delivered(people, photo, _PATIENCE)
            clock.write_text("+0")
            await delivered(people, await people.send_photo(chat, cat()), _PATIENCE)
