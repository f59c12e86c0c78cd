"""Freed memory is kept for the next step."""

import ctypes
import platform
import subprocess
import sys

import pytest

from generator.engines import allocator

_PROGRAM = """
import resource, sys
from generator.engines import allocator
if sys.argv[1] == "kept":
    allocator.keep_freed()
def take():
    blocks = [bytearray(2**24 - 4096) for _ in range(8)]
take()
take()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    take()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc takes such wishes")
def test_what_was_freed_is_not_asked_of_the_system_again() -> None:
    faults = {
        way: int(
            subprocess.run(
                [sys.executable, "-c", _PROGRAM, way], check=True, capture_output=True, text=True
            ).stdout
        )
        for way in ("kept", "given back")
    }
    assert faults["kept"] * 10 < faults["given back"]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: pytest.fail("was asked"))
    allocator.keep_freed()
