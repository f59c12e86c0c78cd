"""What the bot says, in the language of whoever reads it: `of(language_code)` has it all.

The English sentences in `texts.py` are the sources; every other language is a gettext catalogue of
them, `locale/<language>/LC_MESSAGES/bot.mo` beside this file.
"""

from bot.texts.catalogues import of

__all__ = ["of"]
