"""Keeps the memory that a step has freed for the next one."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""As glibc's malloc.h numbers them."""

_KEPT_BYTES = 2**30
"""A little more than decoding a picture of 512 x 512 takes; more than that is given back."""

_MAPPED_BYTES = 2**28
"""Anything larger is mapped on its own and given back at once."""


def keep_freed() -> None:
    """Has the C library, if it is glibc, keep the memory of a step's results.

    Left alone it gives that back to the system, which hands it out again as zeroed pages, and in a
    virtual machine the host may take those in between. Large blocks are kept only if the process
    was started with one arena (`lookalike.processes.MALLOC_TUNABLES`).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    libc.mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)
