"""How long ago something was, in words."""

import datetime as dt
import gettext
from typing import Final

from bot.texts.tables import MONTHS

_MINUTE: Final = dt.timedelta(minutes=1)
_HOUR: Final = dt.timedelta(hours=1)
_DAY: Final = dt.timedelta(days=1)


def ago(translations: gettext.NullTranslations, then: dt.datetime, now: dt.datetime) -> str:
    """When something was.

    Args:
        translations: the language.
        then: when it was, in UTC.
        now: when that is read, in the reader's zone, whose days count. If it is earlier, a clock
            was set, and it was just now.
    """
    _, ngettext = translations.gettext, translations.ngettext
    passed = now.astimezone(dt.UTC) - then
    if passed < _MINUTE:
        return _("just now")
    if passed < _HOUR:
        count = passed // _MINUTE
        return ngettext("{count} minute ago", "{count} minutes ago", count).format(count=count)
    if passed < _DAY:
        count = passed // _HOUR
        return ngettext("{count} hour ago", "{count} hours ago", count).format(count=count)
    then = then.astimezone(now.tzinfo)
    if now.date() - then.date() == _DAY:
        return _("yesterday")
    month = _(MONTHS[then.month - 1])
    if then.year == now.year:
        return _("on {day} {month}").format(day=then.day, month=month)
    return _("on {day} {month} {year}").format(day=then.day, month=month, year=then.year)
