"""Numbers as a language writes them."""

import gettext


class Numbers:
    """Whole ones and such with a decimal place."""

    def __init__(self, translations: gettext.NullTranslations) -> None:
        """A catalogue of the source strings."""
        _ = translations.gettext
        # Translators: this number as your language writes it; its marks are taken for all others.
        sample = _("1,234.5")
        self._marks = str.maketrans({",": sample[1], ".": sample[-2]})

    def whole(self, number: int) -> str:
        """With what stands between thousands."""
        return f"{number:,}".translate(self._marks)

    def decimal(self, number: float) -> str:
        """Likewise, with one place."""
        return f"{number:,.1f}".translate(self._marks)
