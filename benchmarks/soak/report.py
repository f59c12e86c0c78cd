"""The tables of a soak."""

import math
from collections.abc import Sequence
from typing import Final

from benchmarks.soak.book import Waiting
from benchmarks.soak.gauges import Reading, is_flat
from benchmarks.soak.harm import KINDS, Harm
from benchmarks.soak.watched import Watched

P99_SECONDS: Final = 5.0
"""Of a hundred captions of honest users, 99 come sooner."""

_NAMES: Final = {
    "kill": "a service is killed",
    "freeze": "a service is held still for 0.2 to 2 s",
    "clock": "the clock is an hour back, or nine days on, for 8 s",
    "cut": "answers of Telegram are cut",
    "fault": "Telegram asks to wait (429), answers 502, or takes 2 s",
    "disk": "the disk is full for 4 s",
    "hang": "a service is held still for good, until `up` replaces it",
}

_TESTS: Final = {
    "kill": "tests/end_to_end/test_kills.py::test_exactly_one_picture",
    "freeze": "tests/end_to_end/test_outages.py"
    "::test_a_photo_sent_while_a_service_is_down_is_answered_later",
    "clock": "tests/end_to_end/test_clock.py::test_pictures_come_when_the_clock_jumps",
    "cut": "tests/end_to_end/test_outages.py"
    "::test_answers_that_are_cut_double_nothing_and_lose_nothing",
    "fault": "tests/end_to_end/test_outages.py::test_telegram_failing_now_and_then_loses_nothing",
    "disk": "tests/bot/test_files_and_senders.py"
    "::test_photos_are_refused_in_words_while_the_disk_is_full",
    "hang": "tests/lookalike/test_up.py"
    "::test_what_is_frozen_is_replaced_within_a_minute_and_the_watchdog_is_fed",
}
"""What holds the same promise in the tests."""


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
        "| what goes wrong | in the tests | times | captions | median | 99 of 100 | longest |",
        "|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        test = f"`{_TESTS[kind]}`"
        if kind in left_out:
            rows.append(f"| {_NAMES[kind]} | {test} | left out: {left_out[kind]} | | | | |")
            continue
        done = [harm for harm in harms if harm.kind == kind]
        rows.append(
            row(
                f"{_NAMES[kind]} | {test}",
                str(sum(harm.count for harm in done)),
                meanwhile(done, photos),
            )
        )
    calm = [each for each in photos if not meanwhile(harms, [each])]
    rows.append(row("nothing | ", "", calm))
    rows.append(row("all together | ", "", photos))
    return rows


def meanwhile(harms: Sequence[Harm], photos: Sequence[Waiting]) -> list[Waiting]:
    """The photos that waited for their caption while one of these lasted."""
    return [
        each
        for each in photos
        if each.told is not None
        and any(harm.began <= each.told and each.sent <= harm.ended for harm in harms)
    ]


def row(name: str, times: str, photos: Sequence[Waiting]) -> str:
    """A row: what, how often, how many captions, and what those waited."""
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


def of_watched(watched: Watched) -> list[str]:
    """What Prometheus has seen."""
    parts = ", ".join(f"{name} {part:.1%}" for name, part in watched.scraped.items())
    return [
        f"Prometheus: of its scrapes these were answered: {parts}.",
        f"Alerts that fired: {', '.join(watched.fired) or 'none'}.",
        f"Panels that stayed empty: {', '.join(watched.silent) or 'none'}.",
    ]
