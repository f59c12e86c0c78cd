"""How updates come in, as Telegram and this machine say: for the doctor."""

import asyncio
from typing import Any

import httpx

from bot.bounded import BoundedTransport
from bot.readiness import NotReady
from bot.settings import BotSettings
from bot.web import webhook
from lookalike import checks
from lookalike.checks import Finding, failed, ok, warning
from lookalike.errors import StartError
from lookalike.proxies import proxy_for

_SECONDS = 10.0
_POLL_SECONDS = 5  # another poller that was thrown out is back within this
_MOST_CHARACTERS = 200  # of what Telegram says
_SEE_DOCS = "See docs/running.md, By webhook."


class Refused(Exception):
    """Telegram refuses a call; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def connected(settings: BotSettings) -> httpx.AsyncClient:
    """A client for Telegram.

    Raises:
        StartError: the proxy that the environment names cannot be used.
    """
    return _client(settings.telegram_api_url)


def _client(url: str) -> httpx.AsyncClient:
    proxy = proxy_for(url, socks=True)
    return httpx.AsyncClient(timeout=_SECONDS, transport=BoundedTransport(proxy))


async def call(
    http: httpx.AsyncClient, settings: BotSettings, method: str, **parameters: int
) -> tuple[Any, str]:
    """The result of a method of the Bot API, and the answer's date.

    Raises:
        Refused: Telegram does not perform it.
        httpx.HTTPError: it cannot be reached.
    """
    token = settings.telegram_bot_token.get_secret_value()
    response = await http.get(
        f"{settings.telegram_api_url}/bot{token}/{method}", params=parameters or None
    )
    try:
        answer = response.json()
        if answer["ok"]:
            return answer["result"], response.headers.get("Date", "")
        message = str(answer.get("description", ""))
    except (ValueError, KeyError, TypeError):
        message = "and nothing that the Bot API says"
    raise Refused(response.status_code, message)


async def check(http: httpx.AsyncClient, settings: BotSettings) -> list[Finding]:
    """Which way the bot's updates come in, and whether they do.

    Raises:
        Refused: Telegram does not say.
        httpx.HTTPError: likewise.
    """
    info, _ = await call(http, settings, "getWebhookInfo")
    status, text = await asyncio.to_thread(checks.get, settings.bot_listen, "/health/ready")
    public_url = settings.public_url_of(settings.bot_listen)
    if public_url is None:
        return [await _by_polling(http, settings, info, status, text)]
    url = public_url + webhook.PATH
    found = [_by_webhook(info, url, runs=bool(status))]
    if status:
        found.append(await _from_outside(url))
    return found


async def _by_polling(
    http: httpx.AsyncClient, settings: BotSettings, info: dict[str, Any], status: int, text: str
) -> Finding:
    """Whether a webhook or a second poller takes the updates.

    While our own bot runs, its health check is asked: a poll of ours would end the bot's.
    """
    if url := info.get("url"):
        return failed(
            "updates",
            f"A webhook is set: another program, at {httpx.URL(url).host}, gets the updates.",
            "Stop that program; the bot removes the webhook when it starts.",
        )
    in_conflict = NotReady.POLLING_CONFLICT in text
    if not status:
        try:
            await call(http, settings, "getUpdates", timeout=_POLL_SECONDS, limit=1)
        except Refused as error:
            if error.status != httpx.codes.CONFLICT:
                raise
            in_conflict = True
    if in_conflict:
        summary = "Another program polls Telegram with the same TELEGRAM_BOT_TOKEN."
        return failed("updates", summary, "Stop it, or get another token from @BotFather.")
    summary = "Updates come in by polling; no webhook and no other program takes them."
    return ok("updates", summary)


def _by_webhook(info: dict[str, Any], url: str, *, runs: bool) -> Finding:
    """What Telegram says of the webhook."""
    there, waiting = str(info.get("url") or ""), int(info.get("pending_update_count") or 0)
    if there != url and not (runs or there):
        return ok("updates", f"Updates come in by the webhook {url} as soon as the bot runs.")
    if there != url:
        what = f"another one is set, at {httpx.URL(there).host}" if there else "none is set"
        summary = f"Updates are to come in by the webhook {url}, but {what}."
        remedy = "The bot sets its own within a minute; if that goes on, stop the other program."
        return failed("updates", summary, remedy)
    summary = f"Updates come in by the webhook {url}; {waiting or 'none'} wait."
    said = " ".join(str(info.get("last_error_message") or "").split())[:_MOST_CHARACTERS]
    if not said:
        return ok("updates", summary)
    summary = f"{summary[:-1]}, and Telegram last met an error there: {said.rstrip('.')}."
    if waiting and runs:
        return failed("updates", summary, _SEE_DOCS, passes=True)
    return ok("updates", summary)


async def _from_outside(url: str) -> Finding:
    """Whether the public address leads to the bot: its route takes nothing but POST, and says so.

    That it does not from here says little of the way from Telegram, so it is no failure.
    """
    try:
        async with _client(url) as http:
            answer = await http.get(url)
    except (httpx.HTTPError, StartError) as error:
        reason = str(error).rstrip(".") or type(error).__name__
        summary = f"BOT_PUBLIC_URL cannot be reached from this machine ({reason})."
        return warning("public address", summary, _SEE_DOCS)
    if (
        answer.status_code == httpx.codes.METHOD_NOT_ALLOWED
        and answer.headers.get("Allow") == "POST"
    ):
        return ok("public address", "BOT_PUBLIC_URL leads to the bot.")
    summary = f"What answers at {url} is not the bot (HTTP {answer.status_code})."
    return warning("public address", summary, _SEE_DOCS)
