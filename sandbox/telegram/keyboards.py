"""`reply_markup`: checked as Telegram checks it."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.storage.schema import Json
from sandbox.telegram.apps import read_app
from sandbox.telegram.refusals import bad_request

CHAT_KINDS: Final = ("user", "bot", "group", "channel")
"""Of the chats that somebody may choose: in `allow_user_chats`, and so on."""

_MAX_BUTTONS = 100
_MAX_IN_A_ROW = 8
_MAX_DATA_BYTES = 64
_MAX_COPIED = 256
_MAX_PLACEHOLDER = 64
_STYLES = frozenset({"danger", "success", "primary"})
_ACTIONS = frozenset(
    {
        "url", "callback_data", "copy_text", "web_app", "login_url", "switch_inline_query",
        "switch_inline_query_current_chat", "switch_inline_query_chosen_chat", "callback_game",
        "pay",
    }
)  # fmt: skip
_SWITCHES = frozenset(
    {
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
    }
)
_MAX_QUERY = 256
_OF_THE_CLIENT = frozenset({"keyboard", "force_reply"})  # what changes where people write


@dataclass(frozen=True)
class Markup:
    """A call's `reply_markup`.

    Attributes:
        inline: the inline keyboard, as messages have it.
        client: a keyboard that replaces a phone's own, or a `ForceReply`: the person's client gets
            it, and the message, as on Telegram, does not show it to bots.
    """

    inline: Json | None = None
    client: Json | None = None

    @property
    def fields(self) -> Json:
        """The field of a `Message`, or nothing."""
        return {} if self.inline is None else {"reply_markup": self.inline}


def read_markup(markup: Any) -> Markup:
    """A `reply_markup` of any kind.

    Raises:
        Refusal: it is malformed.
    """
    if markup is None:
        return Markup()
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    if "inline_keyboard" in markup:
        return Markup(inline=_check_keyboard(markup["inline_keyboard"]))
    if not markup or "remove_keyboard" in markup:
        return Markup()
    if not _OF_THE_CLIENT & markup.keys():
        raise bad_request("object expected as reply markup")
    if not any(markup.get(name) for name in _OF_THE_CLIENT):
        return Markup()
    if len(str(markup.get("input_field_placeholder", ""))) > _MAX_PLACEHOLDER:
        raise bad_request("reply markup placeholder is too long")
    return Markup(client=markup)


def read_inline_markup(markup: Any) -> Json | None:
    """The inline keyboard of an edit, which takes no other kind; None if there is none.

    Raises:
        Refusal: it is malformed, or of another kind.
    """
    read = read_markup(markup)
    if read.client is not None:
        raise bad_request("inline keyboard expected")
    return read.inline


def _check_keyboard(rows: Any) -> Json | None:
    field = 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array'
    if not isinstance(rows, list):
        raise bad_request(field)
    if not all(isinstance(row, list) for row in rows):
        raise bad_request(f"{field} of Arrays")
    keyboard = [[_check_button(button) for button in row] for row in rows if row]
    sizes = [len(row) for row in keyboard]
    if sum(sizes) > _MAX_BUTTONS or max(sizes, default=0) > _MAX_IN_A_ROW:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": keyboard} if keyboard else None


def _check_button(button: Any) -> Json:
    problem = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(f"{problem}InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad_request(f'{problem}Can\'t find field "text"')
    for field in ("text", "url", "callback_data", "style"):
        if not isinstance(button.get(field, ""), str):
            raise bad_request(f'{problem}Field "{field}" must be of type String')
    text = button["text"].strip()
    if not text:
        raise bad_request("BUTTON_TEXT_INVALID")
    checked = {"text": text, **_check_action(button, problem)}
    style = button.get("style")
    if style:
        if style not in _STYLES:
            raise bad_request("invalid button style specified")
        checked["style"] = style
    return checked


def _check_action(button: Json, problem: str) -> Json:
    """What happens when the button is pressed.

    Telegram takes the first of several and says nothing; a test should notice.
    """
    actions = [name for name in _ACTIONS & button.keys() if button[name]]
    if not actions:
        raise bad_request(f"{problem}Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise bad_request(f"{problem}exactly one action must be used")
    (action,) = actions
    value = button[action]
    if action == "url" and not _is_url(value):
        raise bad_request("BUTTON_URL_INVALID")
    if action == "callback_data" and len(value.encode()) > _MAX_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if action == "copy_text":
        return {"copy_text": _check_copied(value, problem)}
    if action in _SWITCHES:
        return {action: _check_switch(action, value, problem)}
    if action == "web_app":
        return {"web_app": read_app(value, problem, "inline keyboard button Web App")}
    if action not in {"url", "callback_data"}:
        raise bad_request("BUTTON_TYPE_INVALID")  # what has no place in this chat, or on this page
    return {action: value}


def _check_switch(action: str, value: Any, problem: str) -> Any:
    """What is written after the bot's name, in this chat or in one that is chosen."""
    if action != "switch_inline_query_chosen_chat":
        if not isinstance(value, str):
            raise bad_request(f'{problem}Field "{action}" must be of type String')
        query: Any = value
    elif not isinstance(value, dict):
        raise bad_request(f'{problem}Field "{action}" must be of type Object')
    elif not any(value.get(f"allow_{kind}_chats") for kind in CHAT_KINDS):
        raise bad_request("at least one chat type must be allowed")
    else:
        query = value.get("query", "")
    if not isinstance(query, str) or len(query) > _MAX_QUERY:
        raise bad_request("BUTTON_DATA_INVALID")
    return value


def switches_inline(markup: Json | None) -> bool:
    """Whether a button needs inline mode."""
    rows = markup["inline_keyboard"] if markup else []
    return any(_SWITCHES & button.keys() for row in rows for button in row)


def _check_copied(value: Any, problem: str) -> Json:
    if not isinstance(value, dict):
        raise bad_request(f'{problem}Field "copy_text" must be of type Object')
    if not isinstance(value.get("text", ""), str):
        raise bad_request(f'{problem}Field "text" must be of type String')
    if not 1 <= len(value.get("text", "")) <= _MAX_COPIED:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return {"text": value["text"]}


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
