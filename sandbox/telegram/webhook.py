"""Delivers updates to the bot's webhook, one after the other, each until it is accepted."""

import asyncio
import json
import logging
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from lookalike.waiting import any_of
from sandbox.storage.database import Database
from sandbox.storage.schema import Json
from sandbox.storage.values import get_option, set_option
from sandbox.telegram.updates import confirm_updates, waiting_updates

WEBHOOK = "webhook"
"""The option with `url`, `secret_token` and the last error; absent if there is no webhook."""

_TIMEOUT = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0

_log = logging.getLogger(__name__)


async def deliver(database: Database, stop: asyncio.Event) -> None:
    """Runs until `stop` is set."""
    pause = _FIRST_PAUSE
    while not stop.is_set():
        changed = database.changes.next_change()
        async with database.reading() as tx:
            webhook = await get_option(tx, WEBHOOK)
            found = await waiting_updates(tx, 1) if webhook else []
        if not found:
            await any_of(changed, stop)
            continue
        (update,) = found
        problem = await _post(webhook, update)
        async with database.transaction() as tx:
            if problem is None:
                await confirm_updates(tx, update["update_id"] + 1)
            elif (current := await get_option(tx, WEBHOOK)) is not None:
                error = {"last_error_date": int(time.time()), "last_error_message": problem}
                await set_option(tx, WEBHOOK, {**current, **error})
        if problem is None:
            pause = _FIRST_PAUSE
        else:
            _log.warning("The webhook did not accept update %d: %s.", update["update_id"], problem)
            await any_of(stop, seconds=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def _post(webhook: Json, update: Json) -> str | None:
    """Posts an update.

    Returns:
        What went wrong, in Telegram's words; None if it was accepted.
    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            status = await _request(webhook, json.dumps(update).encode())
    except TimeoutError:
        return "Read timeout expired"
    except (OSError, ValueError, IndexError):
        return "Connection refused"
    if status // 100 == 2:  # noqa: PLR2004, any 2xx accepts the update
        return None
    return f"Wrong response from the webhook: {status} {_phrase(status)}"


async def _request(webhook: Json, body: bytes) -> int:
    """One HTTP request; gives the status. It is written by hand so that a stop can cut it short."""
    address = urlsplit(webhook["url"])
    reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    try:
        target = (address.path or "/") + (f"?{address.query}" if address.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {address.netloc}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        if webhook["secret_token"]:
            lines.append(f"X-Telegram-Bot-Api-Secret-Token: {webhook['secret_token']}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        return int((await reader.readline()).split()[1])
    finally:
        writer.close()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
