"""What those who run the bot are told of its services, in one language."""

import gettext

from bot.texts.tables import TROUBLES, WELL


class TroubleTexts:
    """Everything about services in trouble."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        self._ = translations.gettext

    def trouble(self, code: str) -> str:
        """A service is in trouble; the code is its name and how its `Health` is."""
        return f"⚠️ {self._(TROUBLES[code])}"

    def well(self, service: str) -> str:
        """It answers again."""
        return f"✅ {self._(WELL[service])}"
