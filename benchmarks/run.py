"""Measures the report's pipeline, OpenVINO's and ours side by side, and what is around the model.

    python -m benchmarks [--quick] [--write] [--model FOLDER] [--size PIXELS] [--page FIGURES]

Systems are processes that are all loaded at the same time and draw in turns, step by step.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs

from benchmarks import (
    dial,
    history,
    machine,
    model,
    overhead,
    page,
    peaks,
    photos,
    services,
    steps,
    ways,
)
from benchmarks.likeness import cosine, psnr
from benchmarks.processes import System, isolated, take_turns
from benchmarks.results import Figures, Results
from benchmarks.rows import OPENVINO, OURS, REPORT, ROWS, Row
from benchmarks.systems import Drawing, Drawn, Setup
from generator.presets import BALANCED, PRESETS
from lookalike.errors import StartError

_FIGURES = Path("build", "benchmarks.json")


@dataclass(frozen=True)
class _Extent:
    """How thoroughly is measured.

    Attributes:
        starts: of each system and service.
        rounds: in which everything is drawn once.
        steps: of a picture, at most.
        uneven: likewise, where steps are not alike.
        times: a row is drawn in a round, at most.
        dialled: steps of a picture of which those are computed that the dial leaves.
        sizes: of batches.
        jobs: whose overhead is measured.
        seeds: with which each photo is drawn.
        generations: in the tables of history.
    """

    starts: int
    rounds: int
    steps: int
    uneven: int
    times: int
    dialled: int
    sizes: tuple[int, ...]
    jobs: int
    seeds: int
    generations: tuple[int, ...]


_FULL = _Extent(
    starts=3,
    rounds=3,
    steps=50,
    uneven=50,
    times=3,
    dialled=20,
    sizes=(1, 2, 4, 8),
    jobs=10,
    seeds=5,
    generations=history.SIZES,
)
_QUICK = _Extent(
    starts=1,
    rounds=1,
    steps=3,
    uneven=6,
    times=1,
    dialled=6,
    sizes=(1, 2),
    jobs=2,
    seeds=1,
    generations=history.SIZES[:1],
)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--quick", action="store_true", help="fewer steps: under 5 minutes")
    parser.add_argument("--write", action="store_true", help="put the figures into the docs")
    parser.add_argument("--model", type=Path, help="a folder in diffusers layout; else it is made")
    parser.add_argument("--size", type=int, default=512, help="pixels of a side")
    parser.add_argument("--page", type=Path, help="measure nothing: take the figures of this file")
    arguments = parser.parse_args()
    try:
        if arguments.page is not None:
            results = Results.load(arguments.page)
        else:
            results = _run(arguments.model, arguments.size, quick=arguments.quick)
            results.save(_FIGURES)
    except StartError as error:
        parser.exit(1, f"{error}\n")
    print(page.text(results))
    if arguments.write:
        page.write(results)


def _run(folder: Path | None, size: int, *, quick: bool) -> Results:
    systems = [REPORT, OPENVINO, OURS]
    if importlib.util.find_spec("openvino_genai") is None:
        systems.remove(OPENVINO)
    setup = _prepare(folder, size, systems)
    machine.check_memory(setup.model, systems)
    extent = _QUICK if quick else _FULL
    began = time.monotonic()
    results = Results(machine.describe(), size, quick)
    _say("The machine's peaks.")
    results.peaks.append(isolated(peaks.measure))
    _say("The services.")
    results.services = [*services.measure(extent.starts), *photos.measure(), *ways.measure()]
    _say("Years of history.")
    results.history = history.measure(extent.generations)
    _say("What is around the model.")
    results.overhead = overhead.measure(setup.model, size, extent.jobs)
    _say("The dial.")
    results.dial = isolated(dial.measure, dial.PHOTOS, range(extent.seeds))
    _measure_systems(systems, setup, extent, results)
    _say("The machine's peaks, again.")
    results.peaks.append(isolated(peaks.measure))
    results.date = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    results.minutes = (time.monotonic() - began) / 60
    return results


def _prepare(folder: Path | None, size: int, systems: Sequence[str]) -> Setup:
    """Makes what is missing in the cache, each part in a process that gives its memory back."""
    cache = platformdirs.user_cache_path("lookalike", appauthor=False) / "benchmarks"
    cache.mkdir(parents=True, exist_ok=True)
    _say(f"The model is made where it is missing, which takes minutes, and kept in {cache}.")
    if folder is None:
        folder = cache / "sd15-random"
        if not folder.exists():
            isolated(model.make, folder)
    setup = Setup(
        model=folder,
        lora=cache / f"{folder.name}-lora.safetensors",
        converted=cache / f"{folder.name}-openvino",
        side=size,
    )
    if not setup.lora.exists():
        isolated(model.make_lora, setup.model, setup.lora)
    if OPENVINO in systems and not setup.converted.exists():
        from benchmarks import conversion

        isolated(conversion.convert, setup.model, setup.converted)
    return setup


def _measure_systems(names: Sequence[str], setup: Setup, extent: _Extent, results: Results) -> None:
    _read(setup.model, setup.converted)
    for _ in range(extent.starts - 1):
        for name in names:
            _load(name, setup, results).close()
    with ExitStack() as stack:
        systems = {name: _load(name, setup, results) for name in names}
        for name, system in systems.items():
            stack.callback(system.close)
            _say(f"The first picture of {name}.")
            first = system.draw_alone(Drawing(PRESETS[BALANCED], 1, (0,), decode=False))
            results.first[name] = first.seconds[0]
        for number in range(extent.rounds):
            _say(f"Round {number + 1} of {extent.rounds}.")
            _draw_round(systems, extent, number, results)
            for proportions, ratio in steps.speed_ups(systems, setup.side).items():
                results.speed_ups.setdefault(proportions, []).append(ratio)
            for name, cost in steps.measure(systems, setup.side, extent.dialled).items():
                results.costs.setdefault(name, []).append(cost)
            for count in extent.sizes:
                batch = Drawing(PRESETS[BALANCED], 2, tuple(range(count)), decode=False)
                _, step = systems[OURS].draw_alone(batch).seconds
                results.batches.setdefault(count, []).append(step)


def _read(*folders: Path) -> None:
    """Has the system keep files in memory: the disk's pace says nothing about who loads them."""
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            while file.read(2**24):
                pass


def _load(name: str, setup: Setup, results: Results) -> System:
    _say(f"Loading {name}.")
    system = System(name, setup)
    results.starts.setdefault(name, []).append(system.start)
    return system


def _draw_round(
    systems: Mapping[str, System], extent: _Extent, seed: int, results: Results
) -> None:
    """Every row once."""
    drawn: dict[str, Drawn] = {}

    def count(row: Row) -> int:
        most = extent.steps if row.even else extent.uneven
        return min(row.short or row.preset.steps, most)

    def times(row: Row) -> int:
        return min(row.times, extent.times)

    def run(system: System, rows: Sequence[Row]) -> Generator[None, None, None]:
        for row in rows:
            for _ in range(times(row)):
                taken = yield from system.draw(Drawing(row.preset, count(row), (seed,)))
                drawn[row.key] = taken.drawn
                figures = results.rows.setdefault(row.key, Figures(count(row), taken.peak))
                figures.seconds.append(taken.seconds)

    runs = []
    for name, system in systems.items():
        rows = [row for row in ROWS if row.system == name]
        turns = sum(times(row) * (count(row) + 1) for row in rows)
        runs.append((turns, run(system, rows)))
    take_turns(runs)
    full, engine = drawn["fp32"], drawn["balanced"]
    results.likeness.append(
        (cosine(full.latents, engine.latents), psnr(full.pixels, engine.pixels))
    )


def _say(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)
