"""Why nothing is begun, in the language of whoever asks."""

from collections.abc import Mapping
from typing import Final

from bot.clients.errors import (
    BeingForgotten,
    Conflict,
    DatabaseError,
    QuotaUsedUp,
    TooManyUnfinished,
    TooMuchKept,
)
from bot.texts.texts import Texts

_CODES: Final[Mapping[type[DatabaseError], str]] = {
    BeingForgotten: "being-forgotten",
    TooManyUnfinished: "too-many-unfinished",
    TooMuchKept: "too-much-kept",
}


def why_refused(error: Exception, texts: Texts, *, in_group: bool = False) -> str | None:
    """What an error of dbservice says of its own; None: it is none of these.

    Args:
        error: why.
        texts: what is said.
        in_group: whether it is a group's quota that is used up.
    """
    if isinstance(error, QuotaUsedUp):
        is_of_all = error.reason == "QUOTA_OF_BOT"
        return texts.quotas.used_up(error.goes_on_at, of_all=is_of_all, in_group=in_group)
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return texts.ending(code)
    if isinstance(error, Conflict) and error.reason == "NOT_CAPTIONED":
        return texts.ending("no-caption")
    return None
