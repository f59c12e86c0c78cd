"""`python -m bot.doctor`: the bot's own checks for `lookalike doctor`."""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image

from bot import captioners, doctor_dbservices, doctor_updates
from bot.bounded import BoundedTransport
from bot.captioners.azure import REGIONS, RETIREMENT, AzureCaptioner
from bot.captioners.base import (
    Captioner,
    CaptionerMisconfigured,
    CaptionerUnavailable,
    PhotoRefused,
)
from bot.clients.dbservice import DatabaseClient
from bot.clients.errors import DatabaseError, DatabaseUnavailable, WrongToken
from bot.clients.generator import GeneratorClient, GeneratorUnavailable, JobRejected
from bot.doctor_updates import Refused
from bot.settings import BotSettings
from lookalike import checks
from lookalike.checks import Finding, Mark, failed, ok, warning
from lookalike.errors import StartError
from lookalike.proxies import proxy_for
from protos.lookalike.db.v1 import db_pb2 as db

_SECONDS = 10.0
_MOST_SKEW = 60.0  # seconds
_AGAIN_SECONDS = 2.0
_NETWORK = "Check the network and TELEGRAM_API_URL."
_PRIVACY = (
    "@BotFather, /setprivacy, Disable, and add it to the group again; or make it an admin there"
)
_NO_TOKEN = "none has been made yet"  # noqa: S105, no secret
_SAME_TOKEN = "Give all services the same LOOKALIKE_HOME, or the same SERVICE_TOKEN."  # noqa: S105, no secret


async def _telegram(settings: BotSettings) -> list[Finding]:
    """The token, this machine's clock, and how the bot's updates come in."""
    found = await _token(settings)
    if any(each.mark is Mark.FAILED and each.check != "clock" for each in found):
        return found
    try:
        async with doctor_updates.connected(settings) as http:
            found += await doctor_updates.check(http, settings)
    except (Refused, httpx.HTTPError) as error:
        summary = f"Telegram does not say who takes the updates ({type(error).__name__}: {error})."
        found.append(failed("updates", summary, _NETWORK))
    return found


async def _token(settings: BotSettings) -> list[Finding]:
    """Whether Telegram knows the token, and this machine's clock."""
    try:
        async with doctor_updates.connected(settings) as http:
            me, date = await doctor_updates.call(http, settings, "getMe")
    except StartError as error:
        return [failed("proxy", str(error), "The bot does not start before that.")]
    except Refused as error:
        if error.status in {401, 404}:
            summary = "Telegram does not know this TELEGRAM_BOT_TOKEN."
            return [failed("token", summary, "Copy it again from @BotFather.")]
        summary = f"Telegram answers {error.status} {error}."
        return [failed("token", summary, _NETWORK, passes=True)]
    except httpx.HTTPError as error:
        where, reason = settings.telegram_api_url, type(error).__name__
        way = " by way of the proxy of the environment" if proxy_for(where, socks=True) else ""
        summary = f"{where} cannot be reached{way} ({reason})."
        return [failed("token", summary, _NETWORK, passes=True)]
    name = f"The token is that of @{me['username']}."
    sees_all = bool(me.get("can_read_all_group_messages"))
    return [ok("token", name), *_inline(me), *_clock(date), _groups(settings, sees_all=sees_all)]


def _inline(me: dict[str, Any]) -> list[Finding]:
    """What the bot does without where @BotFather has not turned inline mode on."""
    if me.get("supports_inline_queries"):
        return []
    summary = "Inline mode is off, so pictures cannot be shared from here in other chats."
    remedy = "@BotFather, /setinline, turns it on; restart the bot then."
    return [ok("inline", summary, remedy)]


def _groups(settings: BotSettings, *, sees_all: bool) -> Finding:
    """What the bot gets to see of groups, besides what BOT_GROUPS has it answer.

    See core.telegram.org/bots/features#privacy-mode; that it is passed on messages which mention
    it, @BotFather's /setprivacy says.
    """
    if sees_all:
        return ok("groups", "Telegram passes on all messages of groups: its privacy mode is off.")
    hidden = (
        "Telegram's privacy mode is on: of groups the bot sees commands, replies to its messages "
        "and what mentions it, but"
    )
    if settings.bot_groups == "all":
        summary = f"BOT_GROUPS is all; {hidden} no other photos."
        return warning("groups", summary, f"{_PRIVACY}, or set BOT_GROUPS to mention.")
    summary = f"{hidden} of an album only the photo with the words."
    return ok("groups", summary, f"If it misses something: {_PRIVACY}.")


def _clock(date: str) -> list[Finding]:
    try:
        skew = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return []
    if abs(skew) > _MOST_SKEW:
        summary = f"This machine's clock is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}."
        remedy = "Set it, best by NTP; TLS and leases need it."
        return [failed("clock", summary, remedy, passes=True)]
    return [ok("clock", "This machine's clock agrees with Telegram's.")]


async def _start_access(settings: BotSettings) -> list[Finding]:
    """Whether somebody has said whom the bot is for."""
    if settings.bot_access is None:
        summary = "BOT_ACCESS is not set, so whoever finds the bot may use it."
        return [warning("access", summary, "Set it: me, invited, or everyone if you mean that.")]
    return []


async def _access(settings: BotSettings) -> list[Finding]:
    """Whom the bot is for, and whether anybody runs it."""
    access = settings.access
    if settings.bot_access is None:
        return await _start_access(settings)
    if access.policy == "everyone":
        return [ok("access", "Whoever finds the bot may use it, as BOT_ACCESS says.")]
    whom = "its owner" if access.policy == "me" else "its owner and whom they invite"
    summary = f"The bot is for {whom}, and for those in BOT_ADMINS and BOT_ALLOWED."
    client = DatabaseClient(settings.dbservice_address, settings.known_token() or _NO_TOKEN)
    try:
        is_owned = await access.is_owned(client, settings.bot_id)
    except DatabaseError:
        is_owned = True  # nobody knows; that dbservice is away, its own check says
    finally:
        await client.disconnect()
    if not is_owned:
        remedy = "When it starts, `lookalike up` prints a link with which to own it."
        return [warning("access", f"{summary} Nobody owns it yet.", remedy)]
    return [ok("access", summary)]


async def _privacy(settings: BotSettings) -> list[Finding]:
    """Whether others than the owner are led to a page about what is kept of them."""
    if settings.bot_privacy_url or settings.access.policy == "me":
        return []
    summary = "/privacy leads to no page that says more, as BOT_PRIVACY_URL is not set."
    remedy = "Publish docs/privacy.md, or what of it holds for your bot, and name its address."
    return [ok("privacy", summary, remedy)]


async def _captioner(settings: BotSettings) -> list[Finding]:
    """Whether the captioner works; Azure is shown the key alone."""

    async def look(captioner: Captioner) -> Finding:
        if not isinstance(captioner, AzureCaptioner):
            await captioner.caption(_photo())
            return ok("captioner", f"The {captioner.name} captioner works.")
        region = await captioner.probe()
        where = f", which is in {region}" if region else ""
        summary = f"Azure AI Vision takes the key{where}; it is retired on {RETIREMENT}."
        return ok("captioner", summary, "" if region else _regions())

    return [await _with_captioner(settings, look)]


async def _start(settings: BotSettings) -> list[Finding]:
    """Whether the token and the captioner are right, as far as that takes a moment."""

    async def look(captioner: Captioner) -> Finding:
        if isinstance(captioner, AzureCaptioner):
            await captioner.probe()
        return ok("captioner", f"Captions come from {captioner.name}.")

    async def ask() -> list[Finding]:
        found = await _token(settings)
        if any(each.mark is Mark.FAILED and not each.passes for each in found):
            await asyncio.sleep(_AGAIN_SECONDS)  # once may be a fault of Telegram's
            found = await _token(settings)
        return found

    found, captioner = await asyncio.gather(ask(), _with_captioner(settings, look))
    return [*found, captioner]


async def _caption(settings: BotSettings) -> list[Finding]:
    """One real caption."""

    async def look(captioner: Captioner) -> Finding:
        caption = await captioner.caption(_photo())
        return ok("caption", f"The {captioner.name} captioner said: {caption.text}.")

    return [await _with_captioner(settings, look)]


async def _with_captioner(
    settings: BotSettings, look: Callable[[Captioner], Awaitable[Finding]]
) -> Finding:
    key = settings.azure_vision_key
    try:
        captioner = captioners.create(
            settings.captioner,
            azure_endpoint=settings.azure_vision_endpoint,
            azure_key=key.get_secret_value() if key else None,
        )
    except captioners.WeightsMissing as error:
        return failed(checks.MODEL_MISSING, str(error), "Or choose another CAPTIONER.")
    except StartError as error:
        return failed("captioner", str(error), "Or choose another CAPTIONER.")
    try:
        found = await look(captioner)
    except CaptionerMisconfigured as error:
        remedy = "Correct AZURE_VISION_KEY and AZURE_VISION_ENDPOINT"
        hint = f" {_regions()}"
        if captioner.name != "azure":
            remedy, hint = "Install its packages and weights again", ""
        return failed("captioner", f"{error}.", f"{remedy}, or choose another CAPTIONER.{hint}")
    except CaptionerUnavailable as error:
        return failed("captioner", f"{error}.", "Check the network and the endpoint.", passes=True)
    except PhotoRefused as error:
        return failed("captioner", f"{error}.", "Please report this: the photo is a good one.")
    finally:
        await captioner.close()
    return found


def _regions() -> str:
    return f"Captions are available in {', '.join(REGIONS)}."


def _photo() -> bytes:
    """A small JPEG."""
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    return file.getvalue()


async def _dbservice(settings: BotSettings) -> list[Finding]:
    """Whether dbservice is up and takes our calls."""
    where = settings.dbservice_address
    client = DatabaseClient(where, settings.known_token() or _NO_TOKEN)
    try:
        await client.get_status(db.GetStatusRequest(bot_id=settings.bot_id, chat_id=1, user_id=1))
    except WrongToken:
        summary = f"dbservice at {where} does not take our SERVICE_TOKEN."
        return [failed("dbservice", summary, _SAME_TOKEN)]
    except DatabaseUnavailable as error:
        summary = f"dbservice does not answer at {where}."
        listens = [await asyncio.to_thread(checks.someone_listens, at) for at in where.split(",")]
        if any(listens):
            summary = (
                f"dbservice does not answer at {where}, though somebody listens there: {error}."
            )
        return [failed("dbservice", summary, checks.START)]
    except DatabaseError as error:
        return [failed("dbservice", f"dbservice at {where} answers {error}.", "See its log.")]
    finally:
        await client.disconnect()
    answers = ok("dbservice", f"dbservice answers at {where} and takes our token.")
    return [answers, *await doctor_dbservices.check(where.split(","))]


async def _generator(settings: BotSettings) -> list[Finding]:
    """Whether the generator is up, takes our token and has its model loaded."""
    where = settings.generator_url
    client = GeneratorClient(where, settings.known_token() or _NO_TOKEN)
    try:
        await client.get_job(str(uuid4()))
        transport = BoundedTransport(None)
        async with httpx.AsyncClient(timeout=_SECONDS, transport=transport) as http:
            ready = await http.get(f"{where}/health/ready")
    except GeneratorUnavailable as error:
        if "SERVICE_TOKEN" in str(error):
            summary = f"The generator at {where} does not take our SERVICE_TOKEN."
            return [failed("generator", summary, _SAME_TOKEN)]
        summary = f"The generator does not answer at {where} ({error})."
        return [failed("generator", summary, checks.START)]
    except (JobRejected, httpx.HTTPError) as error:
        summary = f"What answers at {where} is no generator ({type(error).__name__}: {error})."
        return [failed("generator", summary, "Correct GENERATOR_URL.")]
    if not ready.is_success:
        summary = f"The generator answers at {where}; its model is not loaded yet."
        return [warning("generator", summary, "Photos wait for it; its log says how it goes.")]
    return [ok("generator", f"The generator answers at {where}, takes our token and is ready.")]


async def _bot(settings: BotSettings) -> list[Finding]:
    """Whether the bot itself is up."""
    where = settings.bot_listen
    status, text = await asyncio.to_thread(checks.get, where, "/health/ready")
    said, _, note = text.strip().partition("\n")
    if said == "ready":
        summary = f"The bot runs; its health check is at {where}. {note}".rstrip()
        return [ok("bot", summary)]
    if said.startswith("not ready: "):
        return [warning("bot", f"The bot runs, but is {said}.", "Its log says more.")]
    if status or await asyncio.to_thread(checks.someone_listens, where):
        return [checks.port("BOT_LISTEN", where, ours=False)]
    return [failed("bot", f"The bot does not run: nobody listens on {where}.", checks.START)]


if __name__ == "__main__":
    checks.run(
        "bot",
        BotSettings,
        {
            "telegram": _telegram,
            "access": _access,
            "privacy": _privacy,
            "captioner": _captioner,
            "dbservice": _dbservice,
            "generator": _generator,
            "bot": _bot,
        },
        start={"start": _start, "access": _start_access},
        paid={"caption": _caption},
    )
