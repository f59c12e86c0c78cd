"""What the gallery says, in one language."""

import gettext


class GalleryTexts:
    """Everything about the gallery.

    Attributes:
        menu_button: opens it, beside where one writes.
        history_button: opens it, under the card of the history.
        only_from_telegram: its address was opened elsewhere.
        expired: it has been open for an hour.
        gone: what is asked for is not there any more.
        words: all that its page says, by the names that the page has for them.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        _ = translations.gettext
        self.menu_button = _("Gallery")
        self.history_button = _("🖼 Gallery")
        self.only_from_telegram = _("Please open the gallery from the chat with the bot.")
        self.expired = _("You've had this open for a while. Please open it again from the chat.")
        self.gone = _("That isn't here any more.")
        self.words = {
            "title": _("Your pictures"),
            "empty": _("Nothing painted yet. Send me a photo!"),
            "loading": _("Loading…"),
            "failed": _("That didn't load."),
            "retry": _("Try again"),
            "expired": self.expired,
            "close": _("Close"),
            "back": _("Back"),
            "photo": _("Photo"),
            "picture": _("Picture"),
            "compare": _("Compare photo and picture"),
            "star": _("Star"),
            "unstar": _("Remove the star"),
            "starred": _("Starred"),
            "star_given": _("Starred: I'll keep it, and its photo."),
            "star_taken": _("No longer starred."),
            "share": _("Share"),
            "shared": _("Shared."),
            "share_failed": _("This picture can't be shared just now."),
            "delete": _("Delete"),
            "delete_question": _("Delete this picture for good?"),
            "delete_yes": _("Delete for good"),
            "delete_no": _("Keep"),
            "deleted": _("Deleted"),
            "paint": _("Paint from this"),
            "again": _("Again"),
            "closer": _("Closer"),
            "freer": _("Freer"),
            "painting": _("Coming up! You'll get it in the chat."),
            "family": _("Family"),
            "parent": _("Painted from"),
            "children": _("Painted from this"),
            "open": _("Open {title}"),
            "save": _("Full size"),
        }
