"""Links with which a bot is owned: whoever opens one first and presses Start owns it.

`lookalike init` and `lookalike up` make one each time they print one; the bot takes any of them. In
the home folder there are hashes alone, in a file of mode 0600, and none once the bot is owned.
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from lookalike.errors import StartError
from lookalike.files import make_home, remove_durably, write_durably

PREFIX: Final = "o_"
"""What the parameter of such a link begins with."""

_FILE_NAME: Final = "owner-links"
_SECRET_BYTES: Final = 16
_MOST: Final = 20
_TELEGRAM: Final = "https://api.telegram.org"


def new_secret(home: Path) -> str:
    """The secret of a link that is good from now on; of the older ones, the newest stay so.

    Raises:
        StartError: the home folder cannot be written.
    """
    make_home(home)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    kept = [*_hashes(home)[1 - _MOST :], _sha256(secret)]
    try:
        write_durably(home / _FILE_NAME, "".join(f"{each}\n" for each in kept).encode())
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"LOOKALIKE_HOME {home} cannot be used: {reason}.") from None
    return secret


def is_good(home: Path, secret: str) -> bool:
    """Whether a link with this secret was printed, and nobody has owned the bot since."""
    given = _sha256(secret)
    # A list, so that each is compared, whichever fits.
    return any([hmac.compare_digest(given, each) for each in _hashes(home)])  # noqa: C419


def spend(home: Path) -> None:
    """Ends all links: somebody owns the bot."""
    remove_durably(home / _FILE_NAME)


def invitation(home: Path, bot_name: str, telegram: str) -> str:
    """Makes a link, and says what to do with it.

    Args:
        home: LOOKALIKE_HOME.
        bot_name: the bot's username.
        telegram: the Bot API server; one that is not Telegram's has no links.
    """
    start = f"{PREFIX}{new_secret(home)}"
    if telegram.rstrip("/") == _TELEGRAM:
        how = f"open this link and press Start:\n  https://t.me/{bot_name}?start={start}"
    else:
        how = f"write this to @{bot_name} at {telegram}:\n  /start {start}"
    return f"Nobody owns the bot yet. To own it, be the first to {how}"


def _hashes(home: Path) -> list[str]:
    try:
        return (home / _FILE_NAME).read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        return []


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
