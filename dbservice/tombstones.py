"""Who was forgotten, and when: known outside the database, so that no older one brings them back.

A tombstone names a user by an HMAC under a key of the home: whoever has a backup, but not the key,
cannot tell who it is. Tombstones are in the database, and so in every later backup, and in a file
of the home, which no backup replaces.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final

from lookalike.errors import StartError
from lookalike.files import write_durably
from lookalike.tokens import forgotten_key, has_forgotten_key

_FILE_NAME: Final = "forgotten"
_DIGITS: Final = 64


class Tombstones:
    """The tombstones of a home. One process at a time adds to them: the one with the database."""

    def __init__(self, home: Path) -> None:
        """Reads them; the key is made when it is first needed.

        Raises:
            StartError: they cannot be read, or their key is gone.
        """
        self._home = home
        self._adding = Lock()
        self._path = home / _FILE_NAME
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise StartError(f"{self._path} cannot be read: {error.strerror or error}.") from None
        self._known = dict(map(_parse, lines))
        if self._known and not has_forgotten_key(home):
            message = "its key, forgotten-key in the same folder, is gone: put it back"
            raise StartError(f"{self._path} says who was forgotten, but {message}.")

    @property
    def known(self) -> Mapping[str, datetime]:
        """When those who were forgotten had last asked for it."""
        return self._known

    @property
    def fingerprint(self) -> str:
        """Tells whether another home names the forgotten by the same key, and not which."""
        return self._digest("fingerprint")

    def who(self, bot_id: int, user_id: int) -> str:
        """How a user is named."""
        return self._digest(f"{bot_id}:{user_id}")

    def question(self, bot_id: int, chat_id: int, message_id: int) -> str:
        """How a message is named that asked whether to forget somebody."""
        return self._digest(f"{bot_id}:{chat_id}:{message_id}")

    def add(self, buried: Mapping[str, datetime]) -> None:
        """Adds those that are new, or newer; after return they survive a power cut.

        Raises:
            OSError: they cannot be written.
        """
        with self._adding:
            newer = {who: at for who, at in buried.items() if not self._is_known(who, at)}
            if newer:
                known = self._known | newer
                lines = (f"{who} {at.astimezone(UTC).isoformat()}\n" for who, at in known.items())
                write_durably(self._path, "".join(lines).encode("ascii"))
                self._known = known

    def _is_known(self, who: str, at: datetime) -> bool:
        return who in self._known and self._known[who] >= at

    def _digest(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()

    @cached_property
    def _key(self) -> bytes:
        return forgotten_key(self._home)


def _parse(line: str) -> tuple[str, datetime]:
    who, _, at = line.partition(" ")
    try:
        if len(who) == _DIGITS:
            return who, datetime.fromisoformat(at).astimezone(UTC)
    except ValueError:
        pass
    raise StartError(f"The file {_FILE_NAME} in the home folder is damaged: {line[:100]!r}.")
