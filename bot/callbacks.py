"""The data of inline buttons: short, stable over restarts, at most 64 bytes.

    c:<generation>          cancel
    p:<action>:<generation> something about this picture: one of `Action`
    q:<generation>          ask what the photo shows whose own picture this is
    g:<number>:<generation> the same picture, as if its captioner had guessed this; the best is 0
    s:<style>:<generation>  the same picture in this style; without a name: in none
    d:<dial>:<owner>        the dial of the owner's photos
    n:<count>:<owner>       how many pictures the owner wants at once
    l:<language>:<owner>    which language the owner is spoken to in; without one: as Telegram says
    z:<zone>:<owner>        the owner's time zone
    y:<style>:<owner>       the style of the owner's photos; without a name: none
    o:<menu>:<owner>        another page of the owner's settings: one of `Menu`
    w                       paint the words that the message with the button replies to
    f:<owner>:<message>     paint from the recipe in the file of the message that it replies to, for
                            the owner, who has asked for it with this message
    i:<invite>              revoke this invite
    x:<answer>:<owner>      whether the owner is to be forgotten: forget or keep
    b:send:<message>:<total>
                            send this message to everybody, who were so many
    b:stop                  do not, or no further
    b:on:<owner>            the owner wants broadcasts; b:off:<owner>: none
    b:none:<broadcast>      whoever presses it wants no more; under this broadcast
    h:<owner>:<cursor>      the card of the owner's history, turned to this page
    k:<action>:<owner>:<generation>
                            something about the picture on the card: one of `CardAction`

    #<generation>           no data, but what a Share button has its user write after the bot's name

An owner is a user, or a group in whose name somebody wrote. A generation's id is written without
its hyphens.
"""

import contextlib
import re
import uuid
from enum import StrEnum
from typing import Final

from telegram import CallbackQuery
from telegram.error import TelegramError

_ID = "[0-9a-f]{32}"

CANCEL: Final = re.compile(rf"^c:({_ID})$")
HISTORY: Final = re.compile(r"^h:(?P<owner>-?[0-9]{1,16}):(?P<cursor>\S*)$")
CARD: Final = re.compile(rf"^k:(?P<action>[a-z]{{1,6}}):(?P<owner>-?[0-9]{{1,16}}):(?P<id>{_ID})$")
PICTURE: Final = re.compile(rf"^p:([a-z-]{{1,16}}):({_ID})$")
ASK: Final = re.compile(rf"^(q):({_ID})$")
GUESS: Final = re.compile(rf"^g:([0-4]):({_ID})$")
STYLE: Final = re.compile(rf"^s:([a-z-]{{0,24}}):({_ID})$")
COUNT: Final = re.compile(r"^n:([124]):(-?[0-9]{1,16})$")
DIAL: Final = re.compile(r"^d:([a-z]{1,16}):(-?[0-9]{1,16})$")
INVITE: Final = re.compile(r"^i:([1-9][0-9]{0,15})$")
FORGET: Final = re.compile(r"^x:forget:(?P<owner>-?[0-9]{1,16})$")
KEEP: Final = re.compile(r"^x:keep:(?P<owner>-?[0-9]{1,16})$")
SEND: Final = re.compile(r"^b:send:([1-9][0-9]{0,15}):([0-9]{1,9})$")
STOP: Final = re.compile(r"^b:stop$")
NEWS: Final = re.compile(r"^b:(on|off):([0-9]{1,16})$")
NO_NEWS: Final = re.compile(r"^b:none:[0-9]{1,16}$")
LANGUAGE: Final = re.compile(r"^l:([a-z-]{0,12}):(-?[0-9]{1,16})$")
ZONE: Final = re.compile(r"^z:([A-Za-z0-9_+/-]{1,40}):(-?[0-9]{1,16})$")
FIRST_STYLE: Final = re.compile(r"^y:([a-z-]{0,24}):(-?[0-9]{1,16})$")
MENU: Final = re.compile(r"^o:([a-z]{1,16}):(-?[0-9]{1,16})$")
SHARED: Final = re.compile(rf"^#({_ID})$")
WORDS: Final = re.compile(r"^w$")
FROM_FILE: Final = re.compile(r"^f:(?P<owner>-?[0-9]{1,16}):(?P<message>[0-9]{1,16})$")


def cancel_data(generation_id: str) -> str:
    """Cancels this generation."""
    return f"c:{uuid.UUID(generation_id).hex}"


class Action(StrEnum):
    """What a button under a picture does."""

    AGAIN = "again"
    CLOSER = "closer"
    FREER = "freer"
    STYLES = "styles"
    FULL_SIZE = "full-size"
    RECIPE = "recipe"
    DELETE = "delete"
    DELETE_FOR_GOOD = "delete-for-good"
    BACK = "back"
    CHOOSE = "choose"
    DELETE_ONE = "delete-one"


def pattern_of(*actions: Action) -> re.Pattern[str]:
    """Matches buttons that do one of these."""
    return re.compile(rf"^p:({'|'.join(actions)}):({_ID})$")


def picture_data(action: Action, generation_id: str) -> str:
    """Does this with this picture."""
    return f"p:{action}:{uuid.UUID(generation_id).hex}"


def ask_data(generation_id: str) -> str:
    """Asks what the photo of this picture shows."""
    return f"q:{uuid.UUID(generation_id).hex}"


def guess_data(number: int, generation_id: str) -> str:
    """Paints this photo by one of its captioner's guesses."""
    return f"g:{number}:{uuid.UUID(generation_id).hex}"


def style_data(style: str, generation_id: str) -> str:
    """Paints this picture in this style."""
    return f"s:{style}:{uuid.UUID(generation_id).hex}"


def dial_data(dial: str, user_id: int) -> str:
    """Sets this user's dial."""
    return f"d:{dial}:{user_id}"


def count_data(count: int, user_id: int) -> str:
    """Sets how many pictures this user wants at once."""
    return f"n:{count}:{user_id}"


def invite_data(invite_id: int) -> str:
    """Revokes this invite."""
    return f"i:{invite_id}"


def send_data(message_id: int, total: int) -> str:
    """Sends this message to everybody, who were so many."""
    return f"b:send:{message_id}:{total}"


STOP_DATA: Final = "b:stop"
"""Sends it to nobody, or to nobody else."""


def news_data(user_id: int, *, wanted: bool) -> str:
    """Has this user get broadcasts, or none."""
    return f"b:{'on' if wanted else 'off'}:{user_id}"


def no_news_data(broadcast: int) -> str:
    """Has whoever presses it get no more; it is under this broadcast."""
    return f"b:none:{broadcast}"


def forget_data(user_id: int, *, forget: bool) -> str:
    """Forgets this user, or does not."""
    return f"x:{'forget' if forget else 'keep'}:{user_id}"


def language_data(language: str, user_id: int) -> str:
    """Has this user spoken to in a language; "": as Telegram says."""
    return f"l:{language}:{user_id}"


def zone_data(zone: str, user_id: int) -> str:
    """Sets this user's time zone."""
    return f"z:{zone}:{user_id}"


def first_style_data(style: str, user_id: int) -> str:
    """Sets the style of this user's photos; "": none."""
    return f"y:{style}:{user_id}"


class Menu(StrEnum):
    """A page of the settings; or, of a group's, without what it had chosen."""

    MAIN = "main"
    LANGUAGES = "languages"
    ZONES = "zones"
    STYLES = "styles"
    RESET = "reset"


def menu_data(menu: Menu, user_id: int) -> str:
    """Opens a page of this user's settings."""
    return f"o:{menu}:{user_id}"


def from_file_data(user_id: int, message_id: int) -> str:
    """Paints from a file's recipe for this user, who has asked for it with this message."""
    return f"f:{user_id}:{message_id}"


def share_query(generation_id: str) -> str:
    """Finds this picture, or those of this set, in inline mode."""
    return f"#{uuid.UUID(generation_id).hex}"


def is_about(data: object, generation_id: str) -> bool:
    """Whether a button does something with this picture."""
    match = PICTURE.match(data) if isinstance(data, str) else None
    return match is not None and match[2] == uuid.UUID(generation_id).hex


def history_data(user_id: int, cursor: str) -> str:
    """Turns the card of this user's history to a page."""
    return f"h:{user_id}:{cursor}"


class CardAction(StrEnum):
    """What a button of the history's card does; six letters at most."""

    STAR = "star"
    UNSTAR = "unstar"
    SHOW = "show"
    ASK = "ask"
    DELETE = "delete"
    KEEP = "keep"


def card_data(action: CardAction, user_id: int, generation_id: str) -> str:
    """Does this with this picture of this user's history."""
    return f"k:{action}:{user_id}:{uuid.UUID(generation_id).hex}"


def is_of_card(data: object, user_id: int) -> bool:
    """Whether a button is of the card of this user's history."""
    if not isinstance(data, str):
        return False
    match = HISTORY.match(data) or CARD.match(data)
    return match is not None and int(match["owner"]) == user_id


def on_card(data: object, user_id: int) -> str | None:
    """The picture that a button of the card of this user's history is about, if it is one."""
    match = CARD.match(data) if isinstance(data, str) else None
    return generation_id(match["id"]) if match and int(match["owner"]) == user_id else None


def generation_id(text: str) -> str:
    """The id with its hyphens again."""
    return str(uuid.UUID(text))


async def answer(query: CallbackQuery, text: str | None = None) -> None:
    """Answers a pressed button if Telegram still takes that; the work is done all the same."""
    with contextlib.suppress(TelegramError):
        await query.answer(text)
