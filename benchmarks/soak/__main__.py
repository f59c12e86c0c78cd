"""A soak test: photos keep coming while services are killed and frozen and Telegram has faults.

    python -m benchmarks.soak --minutes 10 --seed 1

Meanwhile one user sends what costs much, by the dozen. Afterwards every honest photo has its
picture: one, or two where a kill came between Telegram's acceptance and our record of it. No status
message is left, no log has a traceback, and every service stops cleanly. The exit code says whether
that holds.
"""

import asyncio
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import click

from benchmarks.soak.gauges import Gauges
from benchmarks.soak.people import Honest, attack
from lookalike.processes.stack import SERVICES, Stack
from tests.end_to_end.chats import pictures, statuses, texts
from tests.sandbox.client import People, ShownMessage
from tests.stack import create_stack, read_log

_VICTIMS = ("bot", "dbservice", "generator")
_METHODS = ("*", "sendMessage", "sendPhoto", "editMessageText", "deleteMessage", "getFile")
_FAULTS = (
    {"kind": "too_many_requests", "retry_after": 2},
    {"kind": "http_error", "status": 502},
    {"kind": "delay", "seconds": 2.0},
    {"kind": "cut"},
)
_USERS = 6
_SETTLE_SECONDS = 180.0


@dataclass
class _Soak:
    """A run: its dice, its services, and what has been sent and done."""

    dice: random.Random
    stack: Stack
    people: People
    end: float
    users: list[Honest] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    twice: set[int] = field(default_factory=set)

    @property
    def over(self) -> bool:
        return time.monotonic() > self.end

    @property
    def sent(self) -> list[ShownMessage]:
        """The photos of the honest."""
        return [photo for user in self.users for photo in user.sent]

    async def harm(self, *, calm: bool) -> None:
        """Kills or freezes a service, or queues a fault, every few seconds; not if it is calm."""
        while not self.over and not calm:
            await asyncio.sleep(self.dice.uniform(1, 6))
            what = self.dice.choice(("kill", "kill", "freeze", "fault"))
            name = self.dice.choice(_VICTIMS)
            if what == "kill":
                self.stack.kill(name)
                await asyncio.sleep(self.dice.choice((0, 0, 3)))
                self.stack.launch(name)
            elif what == "freeze":
                self.stack.freeze(name)
                await asyncio.sleep(self.dice.uniform(0.5, 12))
                self.stack.thaw(name)
            else:
                name = self.dice.choice(_METHODS)
                fault = self.dice.choice(_FAULTS)
                await self.people.add_fault(**fault, method=name, count=self.dice.randint(1, 3))
            self.done[f"{what} {name}"] += 1

    async def settle(self) -> list[str]:
        """Leaves the services alone until every photo is answered; says what is wrong then."""
        await self.people.clear_faults()
        deadline = time.monotonic() + _SETTLE_SECONDS
        while True:
            self.stack.start()
            wrong = [complaint for sent in self.sent for complaint in await self._look(sent)]
            if not any(complaint.startswith("later") for complaint in wrong):
                return wrong
            if time.monotonic() > deadline:
                return wrong
            await asyncio.sleep(1)

    async def _look(self, sent: ShownMessage) -> list[str]:
        messages = await self.people.messages(sent.chat_id)
        count = len(pictures(messages, sent))
        wrong = []
        if statuses(messages, sent):
            wrong.append(f"later: {sent.chat_id}/{sent.id} still has a status message")
        if count == 0:
            said = [text.text for text in texts(messages, sent)]
            wrong.append(f"later: {sent.chat_id}/{sent.id} has no picture: {said}")
        if count > 1:
            self.twice.add(sent.id)
        if count > 2:  # noqa: PLR2004, one window, one double
            wrong.append(f"{sent.chat_id}/{sent.id} has {count} pictures")
        return wrong


async def _run(minutes: float, seed: int, folder: Path, *, calm: bool) -> int:
    with create_stack(folder, {"CAPTIONER": "offline", "USER_MAX_UNFINISHED": "100"}) as stack:
        stack.start()
        async with People(stack.url("sandbox")) as people:
            dice = random.Random(seed)
            soak = _Soak(dice, stack, people, time.monotonic() + 60 * minutes)
            for number in range(_USERS):
                chat = await people.add_user(f"User {number}")
                soak.users.append(Honest(people, chat, dice))
            hostile = await people.add_user("Somebody else")
            gauges = Gauges(stack)
            attacks, *_ = await asyncio.gather(
                attack(people, hostile, dice, lambda: soak.over),
                gauges.watch(_VICTIMS, lambda: soak.over),
                soak.harm(calm=calm),
                *(user.use(lambda: soak.over) for user in soak.users),
            )
            wrong = await soak.settle()
            tracebacks = {
                name: len(re.findall("^Traceback", read_log(stack, name), re.MULTILINE))
                for name in SERVICES
            }
        codes = stack.stop()
    print(
        f"{len(soak.sent)} photos, {len(soak.twice)} answered with two pictures;"
        f" logs in {folder / 'logs'}"
    )
    print(dict(soak.done.most_common()))
    waited = sorted(seconds for user in soak.users for seconds in user.waited)
    print(
        f"an honest user's caption: median {waited[len(waited) // 2]:.1f} s,"
        f" 99 of 100 within {waited[len(waited) * 99 // 100]:.1f} s; beside {attacks} attacks"
    )
    for row in gauges.rows():
        print(row)
    wrong += [f"{name}.log has {count} tracebacks" for name, count in tracebacks.items() if count]
    wrong += [f"{name} stopped with {code}" for name, code in codes.items() if code]
    for complaint in wrong:
        print(complaint)
    return 1 if wrong else 0


@click.command(help=__doc__)
@click.option("--minutes", default=5.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--calm", is_flag=True, help="Only the hostile user, no kills and no faults.")
@click.option("--folder", type=click.Path(path_type=Path), help="The home; a new one if not.")
def main(minutes: float, seed: int, folder: Path | None, *, calm: bool) -> None:
    """Runs a soak and exits."""
    home = folder or Path(mkdtemp(prefix="soak-"))
    raise SystemExit(asyncio.run(_run(minutes, seed, home, calm=calm)))


if __name__ == "__main__":
    main()
