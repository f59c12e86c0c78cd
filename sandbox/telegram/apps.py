"""Mini Apps: the addresses that they may have, and what an opened one is told.

core.telegram.org/bots/webapps.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from init_data_py import UnsignedInitData, User, sign

from lookalike.settings import LOOPBACK_HOSTS
from sandbox.storage.schema import Json
from sandbox.telegram.refusals import bad_request

_VERSION = "9.1"
_PLATFORM = "weba"  # Telegram Web, which has apps in frames as the chat page has
_MAX_URL = 2048


def read_app(given: Any, problem: str, noun: str) -> Json:
    """A `WebAppInfo`; other than on Telegram an app of this machine may be plain HTTP.

    Args:
        given: what is to be one.
        problem: how Telegram begins to say that it cannot be read.
        noun: how Telegram begins to say that its address is wrong.

    Raises:
        Refusal: it is malformed.
    """
    if not isinstance(given, dict):
        raise bad_request(f'{problem}Field "web_app" must be of type Object')
    if "url" not in given:
        raise bad_request(f'{problem}Can\'t find field "url"')
    url = given["url"]
    if not isinstance(url, str):
        raise bad_request(f'{problem}Field "url" must be of type String')
    wrong = _what_is_wrong(url)
    if wrong is not None:
        raise bad_request(f"{noun} URL '{url[:_MAX_URL]}' is invalid: {wrong}")
    return {"url": url}


def _what_is_wrong(url: str) -> str | None:
    try:
        address = urlsplit(url)
        host = address.hostname
    except ValueError:
        return "Wrong HTTP URL"
    if not url.isprintable() or " " in url or len(url) > _MAX_URL:
        return "Wrong HTTP URL"
    if not host:
        return "URL host is empty"
    if address.scheme != "https" and (address.scheme, host in LOOPBACK_HOSTS) != ("http", True):
        return "Only HTTPS links are allowed"
    return None


def opens_app(markup: Json | None) -> set[str]:
    """The addresses of the apps that the buttons of an inline keyboard open."""
    rows = markup["inline_keyboard"] if markup else []
    return {button["web_app"]["url"] for row in rows for button in row if "web_app" in button}


def launch_url(
    url: str, token: str, user: Json, theme: Mapping[str, str], *, may_write: bool
) -> str:
    """The address with what Telegram tells an app that is opened by a button.

    Args:
        url: the app's.
        token: the bot's, which signs who has opened it.
        user: who.
        theme: colours, as ThemeParams (core.telegram.org/bots/webapps#themeparams).
        may_write: whether the bot may write to the user.
    """
    opened_by = User(
        id=user["id"],
        first_name=user["first_name"],
        last_name=user.get("last_name"),
        username=user.get("username"),
        language_code=user.get("language_code"),
        allows_write_to_pm=may_write or None,
    )
    session = UnsignedInitData(query_id=secrets.token_urlsafe(18), user=opened_by)
    told = {
        "tgWebAppData": sign(session, token),
        "tgWebAppVersion": _VERSION,
        "tgWebAppPlatform": _PLATFORM,
        "tgWebAppThemeParams": json.dumps(dict(theme)),
    }
    address, _, own = url.partition("#")
    between = "" if not own else "&" if "=" in own or "?" in own else "?"
    return f"{address}#{own}{between}{urlencode(told)}"
