"""The error that somebody can act on."""


class StartError(Exception):
    """A process cannot start or go on; the message says why, and what to do about it.

    It is printed as it is, without a traceback, and the process exits with `EXIT_CODE`.
    """

    EXIT_CODE = 78  # EX_CONFIG of sysexits.h
