"""The generator's requests: every body is taken, or refused with a problem of the list."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken, Throw
from protos import PROBLEM_NAMESPACE
from tests.generator.stack import XML, job, serving

_TAKEN: Final = frozenset({200, 202})
_REFUSED: Final = frozenset({400, 404, 409, 413, 415, 422, 429})


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Throw]:
    """A generator that computes nothing."""
    seeds = [
        job("a cat", negative="blurry", owner="telegram:42", preset="balanced", seed=7),
        job("a dog", width=512, height=512, steps=20, guidance="7.5"),
        job("<![CDATA[a cat]]>"),
    ]
    async with serving(folder) as stack:
        there, gone = await stack.upload(), "0" * 64
        seeds += [
            job("a cat", init=(there, "0.55")),
            job("a cat", seed=7, init=(there, "twin"), aspect=(3, 4)),
            job("a cat", init=(gone, "1")),
        ]

        async def throw(dice: Random) -> None:
            case = mutated(dice, seeds)
            id_ = UUID(int=dice.getrandbits(128), version=4)
            response = await stack.client.put(f"/v1/jobs/{id_}", content=case, headers=XML)
            if response.status_code in _TAKEN:
                return
            if response.status_code not in _REFUSED:
                raise Broken(f"answered {response.status_code}", case)
            if PROBLEM_NAMESPACE.encode() not in response.content:
                raise Broken(f"{response.status_code} without a problem", case)

        yield throw
