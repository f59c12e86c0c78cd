"""What those who run the bot are told of it by /stats, in one language."""

import datetime as dt
import gettext
from typing import Final

from bot.texts.numbers import Numbers
from protos.lookalike.db.v1 import db_pb2 as db

_MINUTE: Final = 60
_GIGABYTE: Final = 1_000_000_000
_MOST_SECONDS: Final = 10.0
"""From here on nobody minds the tenths."""


class StatisticsTexts:
    """Everything about statistics."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._ = translations.gettext
        self.numbers = Numbers(translations)

    def statistics(self, found: db.GetStatisticsResponse, *, with_azure: bool) -> str:
        """The answer to /stats, under a chart; at most 1,024 characters."""
        _, numbers = self._, self.numbers
        sections = (
            (_("Today"), found.today),
            (_("The last 7 days"), found.week),
            (_("All time"), found.all),
        )
        said = [self._section(title, each, with_azure=with_azure) for title, each in sections]
        now = _("In progress now: {count}\nKept: {kept} GB").format(
            count=numbers.whole(found.unfinished),
            kept=numbers.decimal(found.kept_bytes / _GIGABYTE),
        )
        if found.HasField("free_bytes"):
            free = numbers.decimal(found.free_bytes / _GIGABYTE)
            now += "\n" + _("Free on the disk: {free} GB").format(free=free)
        said.append(now)
        return "\n\n".join(said)

    def date(self, day: dt.date) -> str:
        """A day of the chart, in numbers alone."""
        # Translators: a day in as few numbers as it is understood by.
        return self._("{month}/{day}").format(day=day.day, month=day.month)

    def _section(self, title: str, of: db.Statistics, *, with_azure: bool) -> str:
        _, numbers = self._, self.numbers
        lines = [
            title,
            _("People: {people}, photos: {photos}, pictures: {pictures}").format(
                people=numbers.whole(of.people),
                photos=numbers.whole(of.photos),
                pictures=numbers.whole(of.pictures),
            ),
            _("Turned down: {count}").format(count=numbers.whole(of.refusals)),
        ]
        if with_azure or of.captions:
            lines.append(_("Asked of Azure: {count}").format(count=numbers.whole(of.captions)))
        if of.HasField("waiting_seconds"):
            template = _("Usual wait: {duration}")
            lines.append(template.format(duration=self._duration(of.waiting_seconds)))
        if of.HasField("painting_seconds"):
            template = _("Usual time to paint: {duration}")
            lines.append(template.format(duration=self._duration(of.painting_seconds)))
        return "\n".join(lines)

    def _duration(self, seconds: float) -> str:
        if seconds < _MOST_SECONDS:
            return self._("{count} s").format(count=self.numbers.decimal(seconds))
        if seconds < 2 * _MINUTE:
            return self._("{count} s").format(count=self.numbers.whole(round(seconds)))
        return self._("{count} min").format(count=self.numbers.whole(round(seconds / _MINUTE)))
