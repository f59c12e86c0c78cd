"""What the dial and proportions cost: seconds by the steps that are computed.

    python -m benchmarks.steps MODEL LORA [--size 512] [--rounds 2]

Alone it measures what `make bench` does, on a model and weights like LCM-LoRA's that are there.
"""

import argparse
import statistics
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import System, take_turns
from benchmarks.rows import OURS, REPORT
from benchmarks.systems import Drawing, Setup
from generator.models import known
from generator.presets import BALANCED, PRESETS
from generator.tasks import computed_steps

SQUARE, UPRIGHT = "1:1", "3:4"
"""Proportions."""

_OF_THE_SIDE: Final = {SQUARE: (1.0, 1.0), UPRIGHT: (7 / 8, 9 / 8)}
"""Width and height: 448 x 576 is what is known to be drawn well of 3:4."""

_COMPARED: Final = 4
"""Steps of the report's pipeline and of ours, in turns, the first of which is not looked at."""


@dataclass(frozen=True)
class Case:
    """A picture to be drawn.

    Attributes:
        name: how people read it.
        strength: of a photo that it starts from; None: there is none.
        proportions: its.
    """

    name: str
    strength: float | None = None
    proportions: str = SQUARE


CASES: Final = (
    Case("Dream"),
    *(Case(step.capitalize(), strength) for step, strength in reversed(list(known.DIAL.items()))),
    Case("Dream, 3:4", proportions=UPRIGHT),
)


@dataclass(frozen=True)
class Cost:
    """What a picture took.

    Attributes:
        computed: steps.
        steps: seconds of all of them.
        embed: seconds for its words.
        encode: seconds for the photo that it starts from.
        decode: seconds from its latents to its pixels.
    """

    computed: int
    steps: float
    embed: float
    encode: float
    decode: float


def measure(systems: Mapping[str, System], side: int, steps: int) -> dict[str, Cost]:
    """Draws each case once, by its name, with so many steps, as `balanced`."""
    found = {}
    for case in CASES:
        drawing = Drawing(
            PRESETS[BALANCED],
            steps,
            (0,),
            size=_size(case.proportions, side),
            strength=case.strength,
        )
        taken = systems[OURS].draw_alone(drawing)
        parts = taken.drawn.parts
        sampling = sum(taken.seconds[:-1]) - parts["embed"] - parts["encode"]
        found[case.name] = Cost(computed_steps(steps, case.strength), sampling, **parts)
    return found


def speed_ups(systems: Mapping[str, System], side: int) -> dict[str, float]:
    """How many times as fast a step of ours is as the report's, by proportions."""
    return {name: _speed_up(systems, _size(name, side)) for name in _OF_THE_SIDE}


def _speed_up(systems: Mapping[str, System], size: tuple[int, int]) -> float:
    seconds: dict[str, Sequence[float]] = {}

    def run(name: str) -> Generator[None, None, None]:
        drawing = Drawing(PRESETS[BALANCED], _COMPARED, (0,), decode=False, size=size)
        taken = yield from systems[name].draw(drawing)
        seconds[name] = taken.seconds[1:]

    take_turns([(_COMPARED, run(name)) for name in (REPORT, OURS)])
    return statistics.median(seconds[REPORT]) / statistics.median(seconds[OURS])


def _size(proportions: str, side: int) -> tuple[int, int]:
    width, height = _OF_THE_SIDE[proportions]
    return round(side * width), round(side * height)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path, help="a folder in diffusers layout")
    parser.add_argument("lora", type=Path, help="weights like LCM-LoRA's")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    setup = Setup(arguments.model, arguments.lora, Path(), arguments.size)
    systems = {name: System(name, setup) for name in (REPORT, OURS)}
    for _ in range(arguments.rounds):
        print(speed_ups(systems, arguments.size), flush=True)
        for name, cost in measure(systems, arguments.size, PRESETS[BALANCED].steps).items():
            print(name, cost, flush=True)
    for system in systems.values():
        system.close()


if __name__ == "__main__":
    _main()
