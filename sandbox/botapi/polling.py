"""getUpdates, setWebhook, deleteWebhook, getWebhookInfo: the ways to the updates."""

import re
from typing import Any
from urllib.parse import urlsplit

from lookalike.settings import LOOPBACK_HOSTS
from sandbox.botapi.call import Call
from sandbox.storage.schema import Json
from sandbox.storage.values import get_option, next_number, set_option
from sandbox.telegram.refusals import Refusal, bad_request
from sandbox.telegram.updates import allow_updates, count_updates, drop_updates
from sandbox.telegram.webhook import WEBHOOK

_MAX_LIMIT = 100
_MAX_SECONDS = 50
_DEFAULT_CONNECTIONS, _MAX_CONNECTIONS = 40, 100
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


async def get_updates(call: Call) -> list[Json]:
    """The oldest updates, waiting up to `timeout` seconds for the first."""
    offset = call.params.integer("offset", 0)
    limit = min(max(call.params.integer("limit", _MAX_LIMIT), 1), _MAX_LIMIT)
    seconds = min(max(call.params.integer("timeout", 0), 0), _MAX_SECONDS)
    allowed = _read_allowed(call)
    async with call.sandbox.database.transaction() as tx:
        if await get_option(tx, WEBHOOK):
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        if allowed is not None:
            await allow_updates(tx, allowed)
    return await call.sandbox.poller.poll(offset, limit, seconds, call.gone)


def _read_allowed(call: Call) -> list[str] | None:
    allowed = call.params.json("allowed_updates", "allowed_updates")
    if allowed is None:
        return None
    if not isinstance(allowed, list) or not all(isinstance(kind, str) for kind in allowed):
        raise bad_request("can't parse allowed_updates JSON array")
    return [kind.lower() for kind in allowed]


async def set_webhook(call: Call) -> bool:
    """From now on updates are POSTed to `url`; an empty one ends that."""
    url = call.params.text("url")
    if not url:
        return await delete_webhook(call)
    _check_url(url)
    secret = call.params.text("secret_token")
    if secret and not _SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
    allowed = _read_allowed(call)
    connections = call.params.integer("max_connections", _DEFAULT_CONNECTIONS)
    asked = {
        "url": url,
        "secret_token": secret,
        "max_connections": min(max(connections, 1), _MAX_CONNECTIONS),
    }
    call.sandbox.poller.end_current("Conflict: terminated by setWebhook request")
    async with call.sandbox.database.transaction() as tx:
        drops = call.params.boolean("drop_pending_updates")
        if drops:
            await drop_updates(tx)
        if allowed is not None:
            await allow_updates(tx, allowed)
        there = await get_option(tx, WEBHOOK) or {}
        if drops or asked.items() - there.items():  # else it stays, with its pauses and last error
            await set_option(tx, WEBHOOK, {"id": await next_number(tx, "webhook"), **asked})
    return True


def _check_url(url: str) -> None:
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError:
        raise bad_request("invalid webhook URL specified") from None
    if address.scheme != "http" or not address.hostname or port == 0 or re.search(r"\s", url):
        raise bad_request("invalid webhook URL specified")
    if address.hostname not in LOOPBACK_HOSTS:
        raise bad_request("bad webhook: failed to resolve host: Name or service not known")


async def delete_webhook(call: Call) -> bool:
    """Updates wait for getUpdates again."""
    async with call.sandbox.database.transaction() as tx:
        if call.params.boolean("drop_pending_updates"):
            await drop_updates(tx)
        await set_option(tx, WEBHOOK, None)
    return True


async def get_webhook_info(call: Call) -> Json:
    """Where updates go, and what went wrong last."""
    async with call.sandbox.database.reading() as tx:
        webhook: dict[str, Any] = await get_option(tx, WEBHOOK) or {"url": ""}
        info: Json = {
            "url": webhook["url"],
            "has_custom_certificate": False,
            "pending_update_count": await count_updates(tx),
        }
        if webhook["url"]:
            info["max_connections"] = webhook["max_connections"]
        allowed = await get_option(tx, "allowed_updates")
    if allowed:
        info["allowed_updates"] = allowed
    if "last_error_date" in webhook:
        info["last_error_date"] = webhook["last_error_date"]
        info["last_error_message"] = webhook["last_error_message"]
    return info
