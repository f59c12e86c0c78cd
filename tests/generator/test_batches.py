"""Which jobs are computed together: nobody is passed, and the sum of waiting times shrinks."""

from dataclasses import replace
from uuid import uuid4

import pytest

from generator import batches
from generator.estimates import Kind, Pace, outlooks
from generator.executors.base import ModelInfo, Speeds
from generator.line import Place

_OWN = (512, 512)
_MODEL = ModelInfo("model", *_OWN)
_PLACE = Place(uuid4(), False, 20, None, None, 7.5, "balanced", 0)

GPU = Speeds({1: 1.0, 2: 1.2, 4: 1.7, 8: 2.6}, 512 * 512)
CPU = Speeds({1: 1.0, 2: 1.84}, 512 * 512)


def _line(count: int, **changes: object) -> list[Place]:
    return [replace(_PLACE, id=uuid4(), **changes) for _ in range(count)]  # type: ignore[arg-type]  # by name


def _size(line: list[Place], speeds: Speeds = GPU, waiting: int = 0) -> int:
    return batches.choose(line, waiting or len(line), speeds, _OWN)


def test_a_job_alone_is_a_batch_of_one() -> None:
    assert _size(_line(1)) == 1


@pytest.mark.parametrize(("count", "size"), [(2, 2), (3, 2), (4, 4), (7, 4)])
def test_jobs_that_are_alike_share_a_batch(count: int, size: int) -> None:
    assert _size(_line(count)) == size


@pytest.mark.parametrize(
    "other",
    [
        {"width": 256},
        {"height": 256},
        {"steps": 21},
        {"guidance_scale": 1.0},
        {"preset": "quick"},
    ],
)
def test_a_batch_ends_before_the_first_job_of_another_kind(other: dict[str, object]) -> None:
    first, second = _line(2), _line(1)
    assert _size([*first, *_line(1, **other), *second]) == 2
    assert _size([*_line(1, **other), *first, *second]) == 1


def test_a_size_that_is_the_models_own_need_not_be_said() -> None:
    assert _size([*_line(1), *_line(1, width=512, height=512)]) == 2


def test_a_job_that_broke_once_runs_alone() -> None:
    broken = _line(1, attempts=1)
    assert _size([*broken, *_line(7)]) == 1
    assert _size([*_line(2), *broken, *_line(5)]) == 2


def test_larger_pictures_make_smaller_batches() -> None:
    assert _size(_line(8, width=1024, height=1024)) == 2
    assert _size(_line(8, width=1024)) == 4
    assert _size(_line(8, width=64, height=64), waiting=100) == 8


def test_nothing_measured_means_no_batches() -> None:
    assert _size(_line(8), Speeds()) == 1


def test_a_batch_that_one_has_left_takes_no_longer_than_before() -> None:
    speeds = Speeds({1: 1.0, 2: 1.3, 4: 1.8, 8: 2.6})
    assert [speeds.ratio(size) for size in (1, 3, 4, 7, 8, 9)] == [1, 1.8, 1.8, 2.6, 2.6, 9]


@pytest.mark.parametrize(("waiting", "size"), [(2, 1), (5, 1), (7, 2), (100, 2)])
def test_a_small_gain_pays_where_many_wait(waiting: int, size: int) -> None:
    assert _size(_line(min(waiting, 8)), CPU, waiting) == size


@pytest.mark.parametrize("speeds", [GPU, CPU, Speeds({1: 1.0, 2: 1.2, 4: 1.7}, 512 * 512)])
@pytest.mark.parametrize("count", [9, 13, 40])
def test_how_far_one_looks_beyond_the_largest_size_changes_nothing(
    speeds: Speeds, count: int
) -> None:
    line = _line(count)
    assert _size(line, speeds, count) == _size(line[: batches.SIZES[-1]], speeds, count)


@pytest.mark.parametrize("speeds", [GPU, CPU])
@pytest.mark.parametrize("waiting", [1, 2, 3, 5, 8, 13, 40])
def test_batches_never_lengthen_all_waiting_times_together(speeds: Speeds, waiting: int) -> None:
    left, now, total = waiting, 0.0, 0.0
    while left:
        size = _size(_line(min(left, 8)), speeds, left)
        now += speeds.ratio(size)
        total += size * now
        left -= size
    assert total <= waiting * (waiting + 1) / 2


@pytest.mark.parametrize(
    ("seconds", "noise", "sizes"),
    [
        ({1: 1.0, 2: 1.84}, 0.0, {1, 2}),
        ({1: 1.0, 2: 1.92}, 0.0, {1}),
        ({1: 1.0, 2: 1.84}, 0.1, {1}),
        ({1: 1.0, 2: 2.5}, 0.0, {1}),
        ({1: 1.0, 2: 1.2, 4: 2.39}, 0.0, {1, 2}),
        ({1: 1.0, 2: 1.2, 4: 1.7, 8: 2.6}, 0.0, {1, 2, 4, 8}),
    ],
)
def test_a_size_pays_if_it_gains_more_than_noise(
    seconds: dict[int, float], noise: float, sizes: set[int]
) -> None:
    assert set(batches.paying(seconds, noise)) == sizes


# What is foretold.


def _pace(speeds: Speeds = GPU) -> Pace:
    pace = Pace(speeds)
    pace.measure(Kind.of(_PLACE, _MODEL), 1, 2.0)
    return pace


def test_a_batch_ends_together_and_the_next_one_follows() -> None:
    line = _line(5)
    found = outlooks(line, _MODEL, _pace(), lambda _: 0)
    assert [found[place.id].position for place in line] == [0, 1, 2, 3, 4]
    etas = [found[place.id].eta_seconds for place in line]
    assert etas == pytest.approx([68, 68, 68, 68, 68 + 40])  # 20 steps of 2 s, 1.7 times; then one


def test_a_running_batch_is_ahead_of_all_and_its_jobs_are_first() -> None:
    running, waiting = _line(2, running=True, attempts=1), _line(1)
    found = outlooks([*running, *waiting], _MODEL, _pace(), lambda _: 5)
    assert [found[place.id].position for place in [*running, *waiting]] == [0, 0, 2]
    assert [found[place.id].eta_seconds for place in [*running, *waiting]] == pytest.approx(
        [36, 36, 76]
    )


def test_what_was_measured_of_a_batch_is_taken_as_it_is() -> None:
    pace = _pace()
    kind = Kind.of(_PLACE, _MODEL)
    pace.measure(kind, 4, 3.0)
    assert pace.seconds(kind, 4, 10) == pytest.approx(30)
    assert pace.seconds(kind, 1, 10) == pytest.approx(20)
    assert pace.seconds(replace(kind, preset="quick"), 1, 10) is None


def test_decoding_comes_after_the_last_step_one_picture_at_a_time() -> None:
    pace = _pace()
    pace.measure_ending(Kind.of(_PLACE, _MODEL), 5.0)
    line = _line(5)
    found = outlooks(line, _MODEL, pace, lambda _: 0)
    etas = [found[place.id].eta_seconds for place in line]
    assert etas == pytest.approx([88, 88, 88, 88, 88 + 45])


def test_the_mean_of_whole_batches_outweighs_what_is_known_so_far() -> None:
    pace = Pace(GPU)
    kind = Kind.of(_PLACE, _MODEL)
    pace.guess(kind, 1, 9.0)
    assert pace.seconds(kind, 2, 10) == pytest.approx(108)
    pace.measure(kind, 2, 2.4)
    pace.guess(kind, 1, 9.0)
    assert pace.seconds(kind, 1, 10) == pytest.approx(20)
    pace.measure(kind, 2, 4.4)
    assert pace.seconds(kind, 2, 10) == pytest.approx(30)


def test_of_many_kinds_those_in_use_are_known_and_the_oldest_are_forgotten() -> None:
    pace, line = _pace(), _line(1)
    for width in range(8, 8 * 2000, 8):
        other = Kind(width, 64, "balanced", guided=True)
        pace.measure(other, 1, 1.0)
        pace.guess(other, 2, 1.0)
        pace.measure_ending(other, 1.0)
        waits = outlooks(line, _MODEL, pace, lambda _: 0)[line[0].id]  # somebody asks after it
        assert waits.eta_seconds == pytest.approx(40)
    known = [pace.seconds(Kind(width, 64, "balanced", guided=True), 1, 9) for width in (8, 15_992)]
    assert known == [None, 10]


def test_without_a_model_nothing_is_foretold_but_positions() -> None:
    line = _line(3)
    found = outlooks(line, None, Pace(), lambda _: 0)
    assert [found[place.id].position for place in line] == [0, 1, 2]
    assert {found[place.id].eta_seconds for place in line} == {None}
