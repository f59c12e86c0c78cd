"""`reply_markup`: checked as Telegram checks it."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.storage.schema import Json
from sandbox.telegram.refusals import bad_request

_MAX_BUTTONS = 100
_MAX_DATA_BYTES = 64
_OTHER_MARKUPS = frozenset({"keyboard", "remove_keyboard", "force_reply"})


def check_markup(markup: Any) -> Json | None:
    """The inline keyboard of a `reply_markup`, as messages have it; None if there is none.

    The keyboards that replace a phone's own are accepted and, as on Telegram, not in the message.

    Raises:
        Refusal: it is malformed.
    """
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" not in markup:
        if markup and not _OTHER_MARKUPS & markup.keys():
            raise bad_request("object expected as reply markup")
        return None
    rows = markup["inline_keyboard"]
    field = 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array'
    if not isinstance(rows, list):
        raise bad_request(field)
    if not all(isinstance(row, list) for row in rows):
        raise bad_request(f"{field} of Arrays")
    keyboard = [[_check_button(button) for button in row] for row in rows if row]
    if sum(map(len, keyboard)) > _MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": keyboard} if keyboard else None


def _check_button(button: Any) -> Json:
    problem = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(f"{problem}InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad_request(f'{problem}Can\'t find field "text"')
    for field in ("text", "url", "callback_data"):
        if not isinstance(button.get(field, ""), str):
            raise bad_request(f'{problem}Field "{field}" must be of type String')
    text = button["text"].strip()
    if not text:
        raise bad_request("BUTTON_TEXT_INVALID")
    if button.get("url"):
        if not _is_url(button["url"]):
            raise bad_request("BUTTON_URL_INVALID")
        return {"text": text, "url": button["url"]}
    data = button.get("callback_data")
    if not data:
        raise bad_request(f"{problem}Text buttons are unallowed in the inline keyboard")
    if len(data.encode()) > _MAX_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    return {"text": text, "callback_data": data}


def _is_url(text: str) -> bool:
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    return address.scheme in {"http", "https", "tg"} and bool(address.netloc)


def callback_data(markup: Json | None) -> set[str]:
    """The data of all buttons that can be pressed."""
    rows = markup["inline_keyboard"] if markup else []
    return {button["callback_data"] for row in rows for button in row if "callback_data" in button}
