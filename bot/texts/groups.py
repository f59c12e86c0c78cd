"""What the bot says in groups, and of their settings, in one language."""

import gettext


class GroupTexts:
    """Everything about groups.

    Attributes:
        how_to: how the bot is spoken to in a group.
        settings: stands above a group's settings.
        administrators_only: to others, who would change them; at most 200 characters.
        everybodys_button: leaves something to everybody's own settings.
        reset_button: leaves all of it to them.
        was_reset: that was done.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        _ = translations.gettext
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
