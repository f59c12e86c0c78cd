"""The figures of one run, as they are kept in a file, and what follows from them."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self
from uuid import UUID

from benchmarks.dial import Distances
from benchmarks.rows import BY_KEY, OURS
from benchmarks.steps import Cost
from generator.diffusion.batch_times import paying
from generator.jobs.order import QueuedJob
from generator.scheduling import batches
from generator.tasks import BatchTimes, ModelInfo

WAITING = (1, 2, 4, 8)
"""So many jobs wait, when pictures an hour are counted."""


@dataclass(frozen=True)
class Spread:
    """Several measurements of the same."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of one or more values."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Figures:
    """What was measured of a row, picture by picture.

    Attributes:
        steps: that were drawn.
        peak: the most memory that the process had had after the first picture, in GiB.
        seconds: before each mark, the last of which is the decoder's.
    """

    steps: int
    peak: float
    seconds: list[list[float]] = field(default_factory=list)


@dataclass
class Results:
    """A run.

    Attributes:
        date: of its end.
        machine: what is known of it, by what it is.
        side: of the pictures, in pixels.
        quick: it was a short one.
        minutes: it took.
        starts: for each system, seconds of imports and of loading.
        first: for each system, seconds before the first mark of its first picture.
        rows: by key.
        batches: seconds of a step, by how many pictures are computed together.
        likeness: of the engine to full precision: cosine and PSNR of each seed.
        peaks: of the machine: before and after, what each round gave.
        overhead: milliseconds of each job.
        services: what, how much, and the bar.
        costs: of pictures that start from a photo and of other proportions: each time, by name.
        speed_ups: of a step against the report's, each time, by proportions.
        dial: distances of pictures to their photo: with each seed, by photo.
        history: by how many generations there are, milliseconds of each RPC.
    """

    machine: dict[str, str]
    side: int
    quick: bool
    date: str = ""
    minutes: float = 0.0
    starts: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    rows: dict[str, Figures] = field(default_factory=dict)
    batches: dict[int, list[float]] = field(default_factory=dict)
    likeness: list[tuple[float, float]] = field(default_factory=list)
    peaks: list[dict[str, list[float]]] = field(default_factory=list)
    overhead: list[float] = field(default_factory=list)
    services: list[tuple[str, str, str]] = field(default_factory=list)
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    speed_ups: dict[str, list[float]] = field(default_factory=dict)
    dial: dict[str, list[Distances]] = field(default_factory=dict)
    history: dict[int, dict[str, float]] = field(default_factory=dict)

    def save(self, file: Path) -> None:
        """Writes all figures."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads what `save` wrote."""
        kept = json.loads(file.read_text(encoding="utf-8"))
        kept["rows"] = {key: Figures(**row) for key, row in kept["rows"].items()}
        kept["costs"] = {
            name: [Cost(**cost) for cost in costs] for name, costs in kept["costs"].items()
        }
        for sized in ("batches", "history"):
            kept[sized] = {int(size): taken for size, taken in kept[sized].items()}
        return cls(**kept)

    @property
    def keys(self) -> list[str]:
        """Of the rows that were measured, in the table's order."""
        return [key for key in BY_KEY if key in self.rows]

    def step(self, key: str) -> Spread:
        """Seconds a step of a row; the mean of each picture where steps are not alike."""
        pictures = [_between(marks) for marks in self.rows[key].seconds]
        if BY_KEY[key].even:
            return Spread.of([taken for marks in pictures for taken in marks])
        return Spread.of([statistics.fmean(marks) for marks in pictures])

    def picture(self, key: str) -> Spread:
        """Seconds a picture of a row, from the prompt to the pixels."""
        return Spread.of([sampling + decoding for sampling, decoding in self._parts(key)])

    def is_extrapolated(self, key: str) -> bool:
        """Whether fewer steps were drawn than a picture of this row has."""
        return self.rows[key].steps < BY_KEY[key].preset.steps

    def hourly(self, key: str, waiting: int) -> float:
        """Pictures an hour of a row, when so many jobs wait.

        Ours are cut into batches as the worker cuts them; another system draws one by one.
        """
        sampling, decoding = (
            statistics.median(part) for part in zip(*self._parts(key), strict=True)
        )
        seconds = {1: 1.0}
        if BY_KEY[key].system == OURS:
            seconds = {size: statistics.median(taken) for size, taken in self.batches.items()}
        total, left = 0.0, waiting
        while left:
            size = _batch(seconds, left)
            total += sampling * seconds[size] / seconds[1] + size * decoding
            left -= size
        return 3600 * waiting / total

    def _parts(self, key: str) -> list[tuple[float, float]]:
        """Seconds of sampling and of decoding, of each picture."""
        figures, preset = self.rows[key], BY_KEY[key].preset
        found = []
        for marks in figures.seconds:
            *sampling, decoding = marks
            left = preset.steps - figures.steps
            found.append((sum(sampling) + left * statistics.fmean(_between(marks)), decoding))
        return found


def _between(marks: Sequence[float]) -> Sequence[float]:
    """The steps alone: before the first mark the prompt is encoded, before the last one decoded."""
    return marks[1:-1]


def _batch(seconds: Mapping[int, float], waiting: int) -> int:
    """How many of alike waiting jobs the worker would compute together."""
    times = BatchTimes(paying(seconds, noise=0.0), pixels=1)
    job = QueuedJob(UUID(int=0), False, 1, 1, 1, 1.0, "", None, None, None, 0)
    most = max(times.seconds)
    return batches.choose([job] * min(waiting, most), waiting, times, ModelInfo("", 1, 1))
