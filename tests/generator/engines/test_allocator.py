"""Freed memory is kept for the next step."""

import ctypes
import platform
import subprocess
import sys

import pytest

from generator.engines import allocator
from lookalike.processes import MALLOC_TUNABLES, clean_environment

pytestmark = pytest.mark.slow

_PROGRAM = """
import ctypes, resource, sys, threading
from generator.engines import allocator
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
if sys.argv[1] == "asked":
    allocator.keep_freed()

def block(size):  # as torch takes them
    address = ctypes.c_void_p()
    assert libc.posix_memalign(ctypes.byref(address), 64, size) == 0
    ctypes.memset(address, 1, size)
    return address

def step():
    blocks = [block(2**20 * count) for count in (32, 64, 8, 64, 32, 8, 128)]
    for taken in blocks[1:]:
        libc.free(taken)
        libc.malloc(48)  # something small that stays
    libc.free(blocks[0])

def steps():
    for _ in range(3):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = threading.Thread(target=steps)
thread.start()
thread.join()
"""


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc takes such wishes")
def test_what_was_freed_is_not_asked_of_the_system_again() -> None:
    told = MALLOC_TUNABLES["GLIBC_TUNABLES"]
    large_pages = told.partition(":")[0]  # alike for all, as one stands for 512 faults
    faults = {
        (way, tunables): int(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, way],
                env=clean_environment() | {"GLIBC_TUNABLES": tunables},
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for way, tunables in (("asked", told), ("asked", large_pages), ("not asked", told))
    }
    kept = faults.pop(("asked", told))
    assert kept * 10 < min(faults.values())  # either alone does not do it


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: pytest.fail("was asked"))
    allocator.keep_freed()
