"""The error that a person can act on."""


class StartError(Exception):
    """A process cannot start or go on, and one sentence says why and what to do.

    It is printed as it is, without a traceback, and the process ends with `EXIT_CODE`.
    """

    EXIT_CODE = 78  # EX_CONFIG of sysexits.h
