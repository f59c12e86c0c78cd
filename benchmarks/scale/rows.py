"""What was measured with so many of each service."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import markdown


@dataclass(frozen=True)
class Row:
    """A load on so many of each service.

    Attributes:
        count: how many there were of each.
        rate: what was done in a second.
        processor: milliseconds of it for one, by the kind of service.
        captions: seconds from each photo to its caption, where there were photos.
        pictures: and to its picture.
    """

    count: int
    rate: float
    processor: Mapping[str, float]
    captions: Sequence[float] = field(default=())
    pictures: Sequence[float] = field(default=())


def processor(
    before: Mapping[str, float], after: Mapping[str, float], count: float
) -> dict[str, float]:
    """Milliseconds for one of so many.

    Args:
        before: seconds of processor by the kind of service.
        after: the same when all were done.
        count: of them.
    """
    return {kind: 1000 * (seconds - before[kind]) / count for kind, seconds in after.items()}


def table(head: Sequence[str], rows: Sequence[Row]) -> str:
    """In Markdown: a row for each, beside the first one's rate.

    Args:
        head: what there is so many of, and what the rate counts.
        rows: the first is that of one.
    """
    waits = ["to the caption", "to the picture"] if rows[0].captions else []
    titles = [*head, "of that of one", *waits, "processor for one"]
    return markdown.table(titles, [_cells(row, rows[0]) for row in rows])


def _cells(row: Row, one: Row) -> list[str]:
    return [
        str(row.count),
        f"{row.rate:.2g}" if row.rate < 10 else f"{row.rate:.0f}",  # noqa: PLR2004
        f"{row.rate / one.rate:.2f}",
        *(_percentiles(each) for each in (row.captions, row.pictures) if each),
        ", ".join(f"{kind} {spent:.0f} ms" for kind, spent in row.processor.items()),
    ]


def _percentiles(seconds: Sequence[float]) -> str:
    """The 50th, the 95th and the 99th of a hundred."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return " / ".join(f"{cuts[number - 1]:.1f}" for number in (50, 95, 99)) + " s"
