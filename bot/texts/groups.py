"""What the bot says in groups, of their settings and of styles to begin with, in one language."""

import gettext

from bot.recipes.styles import STYLES


class GroupTexts:
    """Everything about groups.

    Attributes:
        how_to: how the bot is spoken to in a group.
        settings: stands above a group's settings.
        administrators_only: to others, who would change them; at most 200 characters.
        everybodys_button: leaves something to everybody's own settings.
        reset_button: leaves all of it to them.
        was_reset: that was done.
        choose_style: stands above the styles.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._ = _ = translations.gettext
        self.how_to = _(
            "In groups, mention me with a photo, or reply to one with my name or /paint."
        )
        self.settings = _(
            "This is for all photos that are sent here. Where the group has chosen nothing, "
            "everybody's own settings count."
        )
        self.administrators_only = _(
            "Only admins can change this group's settings. Your own are in our private chat."
        )
        self.everybodys_button = _("Everybody's own choice")
        self.reset_button = _("Clear the group's choices")
        self.was_reset = _("Everybody's own settings count here now.")
        self.choose_style = _("In which style shall I paint a photo's first picture?")

    def style_choice(self, text: str, *, chosen: bool) -> str:
        """A style in its menu, or none."""
        return f"● {text}" if chosen else text

    def style_chosen(self, style: str) -> str:
        """A style was chosen."""
        if style not in STYLES:
            return self._("No style is set now.")
        return self._("First pictures: {style}").format(style=self._(STYLES[style].label))
