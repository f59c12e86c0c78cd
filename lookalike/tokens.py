"""The secrets of a home folder, made once: the bearer token, and the key of who is forgotten.

What else has to be secret is derived from the bearer token, so whoever shares that shares it.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from lookalike.errors import StartError
from lookalike.files import make_home

_FILE_NAME = "service-token"
_KEY_NAME = "forgotten-key"


def service_token(home: Path) -> str:
    """The token kept in `home`; made now if there is none yet.

    Several processes may start at once: the file appears under its name whole or not at all, and
    whoever comes second reads what the first one wrote.

    Raises:
        StartError: the home folder cannot be written.
    """
    return _kept(home, _FILE_NAME)


def forgotten_key(home: Path) -> bytes:
    """The key under which `home` knows whom it has forgotten; made now if there is none yet.

    Raises:
        StartError: the home folder cannot be written.
    """
    return _kept(home, _KEY_NAME).encode()


def has_forgotten_key(home: Path) -> bool:
    """Whether `home` has such a key already."""
    return (home / _KEY_NAME).exists()


def _kept(home: Path, name: str) -> str:
    path = home / name
    make_home(home)
    try:
        if not path.exists():
            _create(path, secrets.token_urlsafe(32))
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        reason = error.strerror or error
        raise StartError(f"LOOKALIKE_HOME {home} cannot be used: {reason}.") from None


def known_service_token(home: Path) -> str | None:
    """The token kept in `home`, if there is one that can be read; none is made."""
    try:
        return (home / _FILE_NAME).read_text(encoding="ascii").strip()
    except OSError:
        return None


def derived_secret(token: str, purpose: str) -> str:
    """A secret that follows from the bearer token; from it nothing about the token follows.

    Args:
        token: the bearer token.
        purpose: what it is for; another purpose gives another secret.

    Returns:
        64 hex digits: HMAC-SHA256 (RFC 2104) of the purpose under the token.
    """
    return hmac.new(token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _create(path: Path, token: str) -> None:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)  # fails if somebody was first
        except FileExistsError:
            return
    finally:
        draft.unlink()


def same_token(given: str, expected: str) -> bool:
    """Compares two tokens in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
