"""Delivers updates to the bot's webhook, each until it is accepted.

As Telegram's Bot API server does it: what is of one chat goes out one after the other, and so do
one user's button presses, and their queries; of different ones so many at once. A `Retry-After` is
kept to; without one, pauses grow.
"""

import asyncio
import json
import logging
import time
from collections import deque
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from lookalike.waiting import any_of
from sandbox.faults import DELIVERY, Faults
from sandbox.storage.database import Database
from sandbox.storage.events import record_event
from sandbox.storage.schema import Json
from sandbox.storage.values import get_option, set_option
from sandbox.telegram.updates import forget_updates, waiting_updates

WEBHOOK = "webhook"
"""The option with the webhook's `id`, which no other one ever had, its `url`, `secret_token` and
`max_connections`, and the last error; absent if there is no webhook."""

_TIMEOUT = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_CONNECT_PAUSE = 1.0
_PROBE_SECONDS = 2.0
_PAGE = 1000  # updates
_MOST_LINES = 100  # of an answer's head

_log = logging.getLogger(__name__)


class _Problem(Exception):
    """An update was not accepted; the text says why, in Telegram's words.

    Attributes:
        pause: seconds until the next attempt; None: it is the sender's to say.
    """

    def __init__(self, text: str, pause: float | None = None) -> None:
        super().__init__(text)
        self.pause = pause


class Deliveries:
    """What is on its way to the webhook.

    Attributes:
        work: whether there is a webhook that somebody listens at.
    """

    def __init__(self, database: Database, faults: Faults, stop: asyncio.Event) -> None:
        """Delivers nothing yet."""
        self.work = False
        self._database = database
        self._faults = faults
        self._stop = stop
        self._problem = ""
        self._accepted: list[int] = []
        self._has_accepted = asyncio.Event()

    async def run(self) -> None:
        """Runs until `stop` is set."""
        while not self._stop.is_set():
            changed = self._database.changes.next_change()
            async with self._database.reading() as tx:
                webhook = await get_option(tx, WEBHOOK)
            if webhook is not None:
                await self._deliver_to(webhook)
            else:
                self.work = False
                await any_of(changed, self._stop)

    async def _deliver_to(self, webhook: Json) -> None:
        """Delivers until the webhook is another one, or `stop` is set."""
        lines: dict[str, deque[Json]] = {}
        places = asyncio.Semaphore(webhook["max_connections"])
        newest = 0
        async with asyncio.TaskGroup() as group:
            tasks: list[asyncio.Task[None]] = []
            while not self._stop.is_set():
                changed = self._database.changes.next_change()
                await self._confirm()
                async with self._database.reading() as tx:
                    current = await get_option(tx, WEBHOOK)
                    found = await waiting_updates(tx, _PAGE, after=newest)
                if current is None or current["id"] != webhook["id"]:
                    break
                tasks = [task for task in tasks if not task.done()]
                for update in found:
                    newest, name = update["update_id"], _line_of(update)
                    if name not in lines:
                        lines[name] = deque()
                        work = self._deliver_line(webhook, lines, name, places)
                        tasks.append(group.create_task(work))
                    lines[name].append(update)
                if not found:
                    await any_of(changed, self._has_accepted, self._stop, seconds=_PROBE_SECONDS)
                if not lines:
                    self.work = await _somebody_listens(urlsplit(webhook["url"]))
            for task in tasks:
                task.cancel()
        await self._confirm()

    async def _confirm(self) -> None:
        """Forgets what was accepted; many in one transaction, as each is synced to the disk."""
        self._has_accepted.clear()
        if accepted := self._accepted:
            self._accepted = []
            async with self._database.transaction() as tx:
                await forget_updates(tx, accepted)

    async def _deliver_line(
        self, webhook: Json, lines: dict[str, deque[Json]], name: str, places: asyncio.Semaphore
    ) -> None:
        """Delivers one update after the other, until there are no more."""
        line, pause = lines[name], _FIRST_PAUSE
        while line:
            try:
                async with places:
                    await self._deliver(webhook, line[0])
            except _Problem as problem:
                self.work = False
                await self._note(webhook, line[0], str(problem))
                await asyncio.sleep(pause if problem.pause is None else problem.pause)
                if problem.pause is None:
                    pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            self.work, self._problem = True, ""
            pause = _FIRST_PAUSE
            self._accepted.append(line.popleft()["update_id"])
            self._has_accepted.set()
        del lines[name]

    async def _deliver(self, webhook: Json, update: Json) -> None:
        """Posts an update. Raises _Problem: it was not accepted."""
        body = json.dumps(update)
        fault = self._faults.take(DELIVERY, {"update": body})
        if fault is not None:
            async with self._database.transaction() as tx:
                await record_event(tx, "fault", {"id": fault.id, "method": DELIVERY})
            if fault.seconds is not None:
                await any_of(self._faults.released(fault), self._stop, seconds=fault.seconds)
        await _post(webhook, body.encode())
        if fault is not None and fault.kind == "cut":
            raise _Problem("Connection closed")

    async def _note(self, webhook: Json, update: Json, problem: str) -> None:
        if problem != self._problem:
            _log.warning("The webhook did not accept update %d: %s.", update["update_id"], problem)
        self._problem = problem
        async with self._database.transaction() as tx:
            current = await get_option(tx, WEBHOOK)
            if current is not None and current["id"] == webhook["id"]:
                error = {"last_error_date": int(time.time()), "last_error_message": problem}
                await set_option(tx, WEBHOOK, {**current, **error})


def _line_of(update: Json) -> str:
    """What an update waits in line with."""
    kind, payload = next(((k, v) for k, v in update.items() if k != "update_id"), ("", None))
    for field, line in (("chat", "chat"), ("from", kind)):
        whose = payload.get(field) if isinstance(payload, dict) else None
        if isinstance(whose, dict):
            return f"{line} {whose.get('id')}"
    return kind


async def _somebody_listens(address: SplitResult) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            _, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    except OSError:  # TimeoutError among them
        return False
    writer.close()
    return True


async def _post(webhook: Json, body: bytes) -> None:
    """Posts a body.

    Raises:
        _Problem: it was not accepted.
    """
    address = urlsplit(webhook["url"])
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    except OSError:
        await asyncio.sleep(_CONNECT_PAUSE)  # in its place: only so many try at once
        raise _Problem("Connection refused", 0.0) from None
    try:
        async with asyncio.timeout(_TIMEOUT):
            writer.write(_head(webhook, address, len(body)) + body)
            await writer.drain()
            status, retry_after = await _read_answer(reader)
    except TimeoutError:
        raise _Problem("Read timeout expired") from None
    except (OSError, ValueError, IndexError):
        raise _Problem("Connection closed") from None
    finally:
        writer.close()
    if status // 100 != 2:  # noqa: PLR2004, any 2xx accepts the update
        raise _Problem(f"Wrong response from the webhook: {status} {_phrase(status)}", retry_after)


def _head(webhook: Json, address: SplitResult, length: int) -> bytes:
    """A request's head; it is written by hand so that a stop can cut the request short."""
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {address.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {length}",
        "Connection: close",
    ]
    if webhook["secret_token"]:
        lines.append(f"X-Telegram-Bot-Api-Secret-Token: {webhook['secret_token']}")
    return "\r\n".join([*lines, "", ""]).encode()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, float | None]:
    """The status, and the seconds of `Retry-After`, if it has them."""
    status = int((await reader.readline()).split()[1])
    retry_after = None
    for _ in range(_MOST_LINES):
        name, _, value = (await reader.readline()).decode("latin-1").partition(":")
        if not value:
            break
        if name.lower() == "retry-after":
            retry_after = float(value)
    return status, retry_after


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
