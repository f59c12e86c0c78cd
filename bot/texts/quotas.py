"""What the bot says of how much may be begun in a day, in one language."""

import datetime as dt
import gettext


class QuotaTexts:
    """Everything about daily quotas. A time is as dbservice gives it: that of its reader's zone."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._ = translations.gettext
        self.ngettext = translations.ngettext

    def used_up(self, goes_on_at: str, *, of_all: bool, in_group: bool) -> str:
        """Why nothing is begun; at most 200 characters.

        Args:
            goes_on_at: when there are more pictures; "": there never are.
            of_all: whether it is the quota of all users together.
            in_group: whether it is else that of a group.
        """
        _ = self._
        if not goes_on_at:
            return _("I'm not painting any pictures just now.")
        if of_all:
            text = _("I've painted all I can today. I'll go on at {time}.")
        elif in_group:
            text = _("This group has had all its pictures for today. I'll go on at {time}.")
        else:
            text = _("You've had all your pictures for today. I'll go on at {time}.")
        return text.format(time=_time(goes_on_at))

    def captions_used_up(self, goes_on_at: str) -> str:
        """How a photo ends of which nobody may be asked any more what it shows."""
        return self._(
            "I've had as many photos described today as I can. I'll go on at {time}; send this one "
            "again then. Or reply to this message with what it shows, and I'll paint that now."
        ).format(time=_time(goes_on_at))

    def left(self, count: int, goes_on_at: str, *, in_group: bool) -> str:
        """What is left today, in the answer to /status."""
        if not count and goes_on_at:
            template = self._("No pictures left for today. I'll go on at {time}.")
            return template.format(time=_time(goes_on_at))
        if in_group:
            template = self.ngettext(
                "Left for this group today: {count} picture",
                "Left for this group today: {count} pictures",
                count,
            )
        else:
            template = self.ngettext(
                "Left for you today: {count} picture", "Left for you today: {count} pictures", count
            )
        return template.format(count=count)


def _time(at: str) -> str:
    return f"{dt.datetime.fromisoformat(at):%H:%M}"
