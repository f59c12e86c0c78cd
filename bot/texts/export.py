"""What the bot says of sending somebody all that it keeps of them."""

import gettext


class ExportTexts:
    """Everything about /export.

    Attributes:
        packing: it was begun; the file comes in the place of this.
        next_part: the same, of every part but the first.
        under_way: it was asked for before, and is not done.
        in_private: to an /export in a group.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._translations = translations
        self._ = _ = translations.gettext
        self.packing = _("I'm packing all that I keep of you. The ZIP file will appear right here.")
        self.next_part = _("The next part will appear here.")
        self.under_way = _("I'm still packing what you asked for.")
        self.in_private = _(
            "Ask me for /export in our private chat: what I keep of you is nobody else's business."
        )
        self._first = _("The details are in export.json.")

    def part(self, number: int, count: int) -> str:
        """Under the file."""
        if count <= 1:
            return self._("All that I keep of you. The details are in export.json.")
        template = self._("Part {number} of {count} of all that I keep of you.")
        said, what = template.format(number=number, count=count), self._first
        return said if number > 1 else f"{said} {what}"

    def too_soon(self, hours: int) -> str:
        """It was asked for and sent within a day."""
        return self._translations.ngettext(
            "You've had all of it not long ago. Ask me again in {hours} hour.",
            "You've had all of it not long ago. Ask me again in {hours} hours.",
            hours,
        ).format(hours=hours)
