"""The error that somebody can act on, and the trouble that passes by itself."""

import errno
import socket
import sqlite3
from collections.abc import Iterator

_PASSING = frozenset(
    {
        errno.EADDRINUSE,
        errno.EAGAIN,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EDQUOT,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.EMFILE,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.ENOSPC,
        errno.ETIMEDOUT,
    }
)
"""What a machine, a disk or a network gets over, or another process ends."""

_PASSING_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,  # also where there are no file descriptors left
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
    }
)
"""Likewise, as primary result codes (sqlite.org, Result and Error Codes)."""


class StartError(Exception):
    """A process cannot start or go on; the message says why, and what to do about it.

    It is printed as it is, without a traceback, and the process exits with `exit_code`.
    """

    EXIT_CODE = 78  # EX_CONFIG of sysexits.h: somebody must change something
    PASSING_EXIT_CODE = 75  # EX_TEMPFAIL: the same start may succeed later

    def __init__(self, message: str, *, passing: bool = False) -> None:
        """An error with its sentence.

        Args:
            message: why, and what to do about it.
            passing: the trouble passes by itself, though no error that `passes` knows tells so.
        """
        super().__init__(message)
        self._passing = passing

    @property
    def exit_code(self) -> int:
        """The process's exit code, by what the error was raised for: see `passes`."""
        return self.PASSING_EXIT_CODE if self._passing or passes(self) else self.EXIT_CODE


def passes(error: BaseException) -> bool:
    """Whether an error, or what it was raised for, is trouble that passes by itself.

    It looks at the error's causes and contexts, those hidden by `raise ... from None` included: a
    full disk, no memory, no file descriptors, a lock that another process holds, a server away.
    """
    causes = list(_causes(error))
    codes = [each.sqlite_errorcode for each in causes if hasattr(each, "sqlite_errorcode")]
    if codes:  # these know better than what was made of them
        return codes[0] & 0xFF in _PASSING_SQLITE
    return any(_passes(each) for each in causes)


def _passes(error: BaseException) -> bool:
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    if isinstance(error, OSError):
        return error.errno in _PASSING
    return isinstance(error, MemoryError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
