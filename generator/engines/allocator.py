"""Keeps the memory that a step has freed for the next one."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""As glibc's malloc.h numbers them."""

_KEPT_BYTES = 2**30
"""A little more than what decoding a picture of 512 x 512 takes; what a larger one took goes."""

_MAPPED_BYTES = 2**28
"""What is larger is mapped for itself and given back at once."""


def keep_freed() -> None:
    """Has the C library keep what a step's results took, where it is glibc.

    By itself it gives that back to the system, which hands it out again in pages of zeros; where
    that is a virtual machine, its host may take them meanwhile. It only keeps what is large if the
    process was started with one arena (`lookalike.processes.MALLOC_TUNABLES`).
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    libc.mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)
