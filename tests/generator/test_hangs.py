"""A worker that hangs: `lookalike up` replaces it within a minute, and nothing is lost."""

import asyncio
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import requests
from lxml import etree

from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from tests import azure
from tests.commands import Command, started
from tests.end_to_end.chats import cat, delivered, pictures
from tests.generator.stack import XML, job
from tests.sandbox.client import People
from tests.stack import create_stack, fixed_ports, running_stack
from tests.waiting import wait_until

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

_HERE = Path(__file__).parent
_SECONDS = 60.0
_HANGS = r"generator ERROR generator\.observers: This hangs: .*\. It may take 30 s\."


@dataclass
class _Machine:
    """`lookalike up` whose generator is to hang.

    Attributes:
        stack: its settings.
        up: the command.
    """

    stack: Stack
    up: Command

    @property
    def hang_file(self) -> Path:
        return Path(self.stack.environment["TEST_HANG_FILE"])

    def hangs(self) -> float:
        """Waits until the generator hangs where the file says; gives the time."""
        wait_until(lambda: not self.hang_file.exists())
        return time.monotonic()

    def put(self, owner: str) -> UUID:
        identity = uuid4()
        response = requests.put(
            self._url(identity), job(owner=owner, steps=4), headers=self._headers, timeout=10
        )
        assert response.status_code == 202, response.text
        return identity

    def job(self, identity: UUID) -> etree._Element | None:
        """How it is; None: nobody answers."""
        try:
            response = requests.get(self._url(identity), headers=self._headers, timeout=2)
        except requests.RequestException:
            return None
        return etree.fromstring(response.content)

    def finish(self, identity: UUID) -> etree._Element:
        """Waits until it is finished; gives its state then."""
        found: list[etree._Element] = []

        def look() -> bool:
            state = self.job(identity)
            if state is not None and state.get("state") == "finished":
                found.append(state)
            return bool(found)

        wait_until(look)
        return found[0]

    def was_replaced(self, since: float) -> None:
        """Waits for another generator; that takes a minute at most."""
        self.up.wait_for(_HANGS)
        self.up.wait_for(r" up WARNING \S+: generator hangs: .* It is killed\.$")
        self.up.wait_for(r"generator INFO generator: Listening on", times=2)
        assert time.monotonic() - since < _SECONDS
        assert len([line for line in self.up.lines if re.search(_HANGS, line)]) == 1

    @property
    def _headers(self) -> dict[str, str]:
        return {**XML, "Authorization": f"Bearer {service_token(self.stack.home)}"}

    def _url(self, identity: UUID) -> str:
        return f"http://{self.stack.environment['GENERATOR_LISTEN']}/v1/jobs/{identity}"


def _settings(folder: Path, **more: str) -> dict[str, str]:
    return {
        **fixed_ports(),
        "CAPTIONER": "azure",
        "AZURE_VISION_ENDPOINT": "http://127.0.0.1:9",
        "AZURE_VISION_KEY": "no-key-at-all",
        "PYTHONPATH": str(_HERE / "hanging"),
        "TEST_HANG_FILE": str(folder / "hang"),
        **more,
    }


@pytest.mark.long
def test_a_worker_that_hangs_is_replaced_within_a_minute_and_its_job_is_done(
    tmp_path: Path,
) -> None:
    with ExitStack() as exits:
        machines = {}
        for where in ("in decoding", "in storing", "in recording"):  # all hang at the same time
            folder = tmp_path / where.split()[-1]
            folder.mkdir()
            nobody = {"TELEGRAM_API_URL": "http://127.0.0.1:9"}
            stack = create_stack(folder, _settings(folder, **nobody))
            up = started("up", folder=folder, environment=stack.environment)
            machines[where] = _Machine(stack, exits.enter_context(up))
        hangs = []
        for where, machine in machines.items():
            machine.up.wait_for("generator INFO generator: Listening on")
            machine.finish(machine.put("somebody"))  # so that it is known what is usual
            machine.hang_file.write_text(where)
            broken = machine.put("somebody")
            hangs.append((machine, machine.hangs(), broken))
        for machine, since, broken in hangs:
            machine.was_replaced(since)
            machine.finish(machine.put("somebody else"))
            assert machine.finish(broken).get("attempt") == "2"


@pytest.mark.long
async def test_whoever_waits_for_it_gets_their_picture(tmp_path: Path) -> None:
    with azure.serve_in_thread() as vision:
        seen = {"AZURE_VISION_ENDPOINT": vision.url, "AZURE_VISION_KEY": vision.key}
        with (
            running_stack(tmp_path, _settings(tmp_path, **seen), "sandbox") as stack,
            started("up", folder=stack.home, environment=stack.environment) as up,
        ):
            await _see_a_hang_through(_Machine(stack, up))


async def _see_a_hang_through(machine: _Machine) -> None:
    machine.up.wait_for("Ready: ")
    async with People(machine.stack.url("sandbox")) as people:
        chat = await people.add_user()
        await delivered(people, await people.send_photo(chat, cat()))
        machine.hang_file.write_text("in a step")
        sent = await people.send_photo(chat, cat())
        machine.was_replaced(await asyncio.to_thread(machine.hangs))
        await delivered(people, sent)
        assert len(pictures(await people.messages(chat), sent)) == 1
