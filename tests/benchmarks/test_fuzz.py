"""A short run of the fuzzers, and that they find what is broken."""

from pathlib import Path
from random import Random

import httpx
import pytest

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken
from benchmarks.fuzz.targets import TARGETS
from lookalike.imaging.decoder import Decoder
from lookalike.imaging.preparing import Prepared

pytestmark = pytest.mark.slow

_CASES = {
    "images": 50,
    "xml": 500,
    "uploads": 30,
    "wire": 2000,
    "updates": 100,  # of a hundred updates each
    "callbacks": 20,  # of a hundred presses each
}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TARGETS)
async def test_every_case_is_answered_as_it_should_be(name: str, tmp_path: Path) -> None:
    dice = Random(name)
    async with TARGETS[name](tmp_path) as throw:
        for _ in range(_CASES[name]):
            await throw(dice)


async def test_what_breaks_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: Decoder, data: bytes) -> Prepared:
        del data
        raise TimeoutError

    async def refuse(_self: httpx.AsyncClient, *_args: object, **_options: object) -> object:
        return httpx.Response(500)

    monkeypatch.setattr(Decoder, "prepare", fail)
    async with TARGETS["images"](tmp_path) as throw:
        with pytest.raises(Broken, match="no answer in time"):
            await throw(Random(1))
    async with TARGETS["xml"](tmp_path) as throw:
        monkeypatch.setattr(httpx.AsyncClient, "put", refuse)
        with pytest.raises(Broken, match="answered 500") as caught:
            await throw(Random(1))
    assert caught.value.case


def test_the_same_seed_gives_the_same_cases() -> None:
    def cases(seed: int) -> list[bytes]:
        dice = Random(seed)
        return [mutated(dice, [b"one seed", b"and another one"]) for _ in range(50)]

    assert cases(1) == cases(1)
    assert cases(1) != cases(2)
    assert len(set(cases(1))) > 40
