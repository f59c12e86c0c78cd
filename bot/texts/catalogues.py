"""Which languages there are, and which of them a person gets."""

import gettext
from pathlib import Path
from typing import Final

from bot.texts.texts import Texts

SOURCE: Final = "en"
"""The language of the sentences in the code, which everybody gets who has no other."""

_DOMAIN: Final = "bot"
_FOLDER: Final = Path(__file__).parent / "locale"


def load(folder: Path) -> dict[str, Texts]:
    """The languages of a folder of catalogues, `<language>/LC_MESSAGES/bot.mo`, and English.

    Languages are written as Telegram writes them: `de`, `pt-br`.
    """
    found = {SOURCE: Texts(gettext.NullTranslations())}
    for file in folder.glob(f"*/LC_MESSAGES/{_DOMAIN}.mo"):
        language = file.parent.parent.name
        translations = gettext.translation(_DOMAIN, folder, [language])
        found[language.replace("_", "-").lower()] = Texts(translations)
    return found


LANGUAGES: Final = load(_FOLDER)
"""What the bot says, by language."""


def of(language_code: str | None) -> Texts:
    """What the bot says to a person.

    Args:
        language_code: the IETF language tag that Telegram gives of the person, if any. A language
            that is not there in this variant (`de-at`) falls back to itself (`de`), then English.
    """
    tag = (language_code or SOURCE).lower()
    for known in (tag, tag.partition("-")[0]):
        if known in LANGUAGES:
            return LANGUAGES[known]
    return LANGUAGES[SOURCE]
