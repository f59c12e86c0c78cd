"""The tables of a soak."""

import math
from collections.abc import Sequence
from typing import Final

from benchmarks.soak.book import Waiting
from benchmarks.soak.gauges import Reading, is_flat
from benchmarks.soak.harm import KINDS, Harm

P99_SECONDS: Final = 5.0
"""Of a hundred captions of honest users, 99 come sooner."""

_NAMES: Final = {
    "kill": "a service is killed",
    "freeze": "a service is held still for 0.2 to 2 s",
    "hang": "a service is held still for good, until `up` replaces it",
    "disk": "the disk is full for 4 s",
    "clock": "the clock is an hour back, or nine days on, for 8 s",
    "cut": "answers of Telegram are cut",
    "fault": "Telegram asks to wait (429), answers 502, or takes 2 s",
}


def percentile(waits: Sequence[float], part: float) -> float:
    """The wait that this part of all does not exceed (nearest rank)."""
    rank = math.ceil(len(waits) * part)
    return sorted(waits)[max(rank, 1) - 1] if waits else 0.0


def waits(photos: Sequence[Waiting]) -> list[float]:
    """Seconds from each photo to its caption."""
    return [each.told - each.sent for each in photos if each.told is not None]


def of_harms(
    harms: Sequence[Harm], left_out: dict[str, str], photos: Sequence[Waiting]
) -> list[str]:
    """A row for each kind: how often, and the captions that somebody waited for meanwhile."""
    rows = [
        "| what | times | captions meanwhile | median | 99 of 100 | longest |",
        "|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        if kind in left_out:
            rows.append(f"| {_NAMES[kind]} | left out: {left_out[kind]} | | | | |")
            continue
        done = [harm for harm in harms if harm.kind == kind]
        rows.append(
            _row(_NAMES[kind], str(sum(harm.count for harm in done)), _meanwhile(done, photos))
        )
    calm = [each for each in photos if not _meanwhile(harms, [each])]
    rows.append(_row("nothing", "", calm))
    rows.append(_row("all together", "", photos))
    return rows


def _meanwhile(harms: Sequence[Harm], photos: Sequence[Waiting]) -> list[Waiting]:
    return [
        each
        for each in photos
        if each.told is not None
        and any(harm.began <= each.told and each.sent <= harm.ended for harm in harms)
    ]


def _row(name: str, times: str, photos: Sequence[Waiting]) -> str:
    found = waits(photos)
    figures = (
        [f"{percentile(found, part):.1f} s" for part in (0.5, 0.99, 1.0)] if found else ["", "", ""]
    )
    return f"| {name} | {times} | {len(found)} | {' | '.join(figures)} |"


def of_gauges(growth: dict[str, tuple[Reading, Reading]]) -> list[str]:
    """A row for each process."""
    rows = [
        "| process | MiB at first | at last | descriptors at first | at last | flat |",
        "|---|---|---|---|---|---|",
    ]
    for name, (first, last) in growth.items():
        rows.append(
            f"| {name} | {first.memory:.0f} | {last.memory:.0f} | {first.descriptors:.0f}"
            f" | {last.descriptors:.0f} | {'yes' if is_flat(first, last) else 'no'} |"
        )
    return rows
