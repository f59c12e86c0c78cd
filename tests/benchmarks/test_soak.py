"""A short soak: its parts work, and what is lost, doubled or left in a chat is found."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.soak.book import Book, Waiting
from benchmarks.soak.gauges import MORE_DESCRIPTORS, Reading, is_flat
from benchmarks.soak.report import percentile
from benchmarks.soak.verdict import judge
from tests.docs.documents import ROOT
from tests.sandbox.client import People, ShownMessage

pytestmark = pytest.mark.slow

CHAT, BOT = 1001, 10001
CAPTION = {"text": "a cat"}
PICTURE = {"photo": [{"file_id": "a-picture"}]}
PROBE = {
    "text": "…",
    "reply_markup": {"inline_keyboard": [[{"text": "Cancel", "callback_data": "c:0"}]]},
}


def answer(number: int, fields: dict[str, Any]) -> ShownMessage:
    """The bot's answer to the photo, message 1."""
    json = {
        "message_id": number,
        "chat": {"id": CHAT},
        "from": {"id": BOT, "is_bot": True},
        "reply_to_message": {"message_id": 1},
    }
    return ShownMessage(json | fields)


class Shown(Book):
    """A book in which a chat shows a photo and these answers."""

    def __init__(self, *answers: ShownMessage, refused: bool = False) -> None:
        super().__init__(People("http://127.0.0.1:1"))
        photo = {"message_id": 1, "chat": {"id": CHAT}, "from": {"id": CHAT, "is_bot": False}}
        self.photos = [Waiting(ShownMessage(photo), 0.0, refused=refused)]
        self.watched = {CHAT}
        self._answers = list(answers)

    def shown(self, chat: int) -> list[ShownMessage]:
        assert chat == CHAT
        return self._answers


@pytest.mark.parametrize(
    ("answers", "refused", "found"),
    [
        ([CAPTION, PICTURE], False, (0, 0, 0)),
        ([CAPTION], False, (1, 0, 0)),
        ([CAPTION], True, (0, 0, 0)),
        ([CAPTION, PICTURE, PICTURE], False, (0, 1, 0)),
        ([CAPTION, CAPTION, PICTURE], False, (0, 1, 0)),
        ([CAPTION, PICTURE, PROBE], False, (0, 0, 1)),
    ],
    ids=["well", "lost", "refused", "two pictures", "two captions", "a probe"],
)
def test_what_became_of_a_photo_is_told(
    answers: list[dict[str, Any]], *, refused: bool, found: tuple[int, int, int]
) -> None:
    messages = [answer(number, each) for number, each in enumerate(answers, start=2)]
    verdict = judge(Shown(*messages, refused=refused))
    assert (len(verdict.lost), len(verdict.doubled), len(verdict.orphans)) == found


def test_the_99th_of_a_hundred_waits() -> None:
    assert percentile([float(wait) for wait in range(1, 101)], 0.99) == 99.0
    assert percentile([3.0], 0.99) == 3.0


def test_what_grows_is_not_flat() -> None:
    first = Reading(100.0, 20)
    assert is_flat(first, Reading(120.0, 20))
    assert not is_flat(first, Reading(130.0, 20))
    assert not is_flat(first, Reading(100.0, 21 + MORE_DESCRIPTORS))


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_short_soak_ends_well_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "benchmarks.soak", "--minutes", "0.5", "--round", "30")
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 lost, 0 doubled, 0 orphans" in done.stdout
    assert "All of it holds." in done.stdout
    mounts = Path("/proc/mounts")
    assert not mounts.exists() or str(tmp_path) not in mounts.read_text()
    if os.geteuid():
        assert "no disk may be mounted here" in done.stdout
