"""What the bot says of pictures that are found and shared in other chats, in one language."""

import gettext


class InlineTexts:
    """Everything about inline mode.

    Attributes:
        share_button: under a picture; has its owner choose a chat to send it to.
        nothing_found_button: in place of pictures; opens the chat with the bot.
        open_chat_button: likewise, for somebody who may not use it.
    """

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        _ = translations.gettext
        self.share_button = _("📤 Share")
        self.nothing_found_button = _("Nothing found. Send me a photo!")
        self.open_chat_button = _("Open the chat with me")
