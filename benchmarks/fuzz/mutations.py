"""Bytes that are nearly right."""

from collections.abc import Sequence
from random import Random
from typing import Final

_TELLING: Final = (
    b"\x00",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\xff",
    b"\x00\x00\x00\x00",
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"<",
    b">",
    b"&",
    b"]]>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&#0;",
    b"-1",
    b"1e999",
    b"NaN",
    b"99999999999999999999",
    b"\xed\xa0\x80",
    b"\xef\xbf\xbf",
)
"""What parsers stumble over: edges of integers, half a character, markup."""

_MOST_CHANGES: Final = 8
_LONGEST_RUN: Final = 64


def mutated(dice: Random, seeds: Sequence[bytes]) -> bytes:
    """One of the seeds with a few changes."""
    data = bytearray(dice.choice(seeds))
    for _ in range(dice.randint(1, _MOST_CHANGES)):
        at = dice.randint(0, len(data))
        run = dice.randint(1, _LONGEST_RUN)
        match dice.randrange(6):
            case 0:
                if data:
                    data[at % len(data)] ^= 1 << dice.randrange(8)
            case 1:
                del data[at : at + run]
            case 2:
                data[at:at] = dice.choice(_TELLING)
            case 3:
                data[at : at + run] = dice.choice(_TELLING)
            case 4:
                data[at:at] = data[at : at + run] * dice.choice((1, 2, 100))
            case _:
                other = dice.choice(seeds)
                begin = dice.randint(0, len(other))
                data[at:at] = other[begin : begin + run]
    return bytes(data)
