"""Which jobs are computed together: nobody is passed, and the sum of waiting times shrinks."""

from dataclasses import replace
from uuid import uuid4

import pytest

from generator.jobs.order import Line, QueuedJob
from generator.scheduling import batches
from generator.scheduling.estimates import StepTimes, outlooks
from generator.scheduling.shapes import shape_of
from generator.tasks import BatchTimes, JobShape, ModelInfo

_MODEL = ModelInfo("model", 512, 512, dial={"twin": 0.35}, sizes=((512, 512), (448, 576)))
_JOB = QueuedJob(uuid4(), False, 20, None, None, 7.5, "balanced", None, None, None, 0)

GPU = BatchTimes({1: 1.0, 2: 1.2, 4: 1.7, 8: 2.6}, 512 * 512)
CPU = BatchTimes({1: 1.0, 2: 1.84}, 512 * 512)


def _jobs(count: int, **changes: object) -> list[QueuedJob]:
    return [replace(_JOB, id=uuid4(), **changes) for _ in range(count)]  # type: ignore[arg-type]  # by name


def _size(order: list[QueuedJob], times: BatchTimes = GPU, waiting: int = 0) -> int:
    return batches.choose(order, waiting or len(order), times, _MODEL)


def test_a_job_alone_is_a_batch_of_one() -> None:
    assert _size(_jobs(1)) == 1


@pytest.mark.parametrize(("count", "size"), [(2, 2), (3, 2), (4, 4), (7, 4)])
def test_jobs_that_are_alike_share_a_batch(count: int, size: int) -> None:
    assert _size(_jobs(count)) == size


@pytest.mark.parametrize(
    "other",
    [
        {"width": 256},
        {"height": 256},
        {"steps": 21},
        {"guidance_scale": 1.0},
        {"preset": "quick"},
        {"init_strength": "0.5"},
        {"aspect_width": 3, "aspect_height": 4},
    ],
)
def test_a_batch_ends_before_the_first_job_of_another_kind(other: dict[str, object]) -> None:
    first, second = _jobs(2), _jobs(1)
    assert _size([*first, *_jobs(1, **other), *second]) == 2
    assert _size([*_jobs(1, **other), *first, *second]) == 1


def test_jobs_that_start_from_pictures_share_a_batch_if_their_strengths_are_one_number() -> None:
    alike = {"aspect_width": 30, "aspect_height": 41}
    named, number = _jobs(1, init_strength="twin"), _jobs(1, init_strength="0.35", **alike)
    assert _size([*_jobs(1, init_strength="twin", **alike), *number]) == 2
    assert _size([*named, *number]) == 1  # of another size
    assert _size([*named, *_jobs(1, init_strength="0.4")]) == 1


def test_proportions_that_come_to_the_own_size_need_not_be_said() -> None:
    assert _size([*_jobs(1), *_jobs(1, aspect_width=100, aspect_height=101)]) == 2


def test_a_size_that_is_the_models_own_need_not_be_said() -> None:
    assert _size([*_jobs(1), *_jobs(1, width=512, height=512)]) == 2


def test_a_job_that_broke_once_runs_alone() -> None:
    broken = _jobs(1, attempts=1)
    assert _size([*broken, *_jobs(7)]) == 1
    assert _size([*_jobs(2), *broken, *_jobs(5)]) == 2


def test_larger_pictures_make_smaller_batches() -> None:
    assert _size(_jobs(8, width=1024, height=1024)) == 2
    assert _size(_jobs(8, width=1024)) == 4
    assert _size(_jobs(8, width=64, height=64), waiting=100) == 8


def test_nothing_measured_means_no_batches() -> None:
    assert _size(_jobs(8), BatchTimes()) == 1


def test_a_batch_that_one_has_left_takes_no_longer_than_before() -> None:
    times = BatchTimes({1: 1.0, 2: 1.3, 4: 1.8, 8: 2.6})
    assert [times.ratio(size) for size in (1, 3, 4, 7, 8, 9)] == [1, 1.8, 1.8, 2.6, 2.6, 9]


@pytest.mark.parametrize(("waiting", "size"), [(2, 1), (5, 1), (7, 2), (100, 2)])
def test_a_small_gain_pays_where_many_wait(waiting: int, size: int) -> None:
    assert _size(_jobs(min(waiting, 8)), CPU, waiting) == size


@pytest.mark.parametrize("times", [GPU, CPU, BatchTimes({1: 1.0, 2: 1.2, 4: 1.7}, 512 * 512)])
@pytest.mark.parametrize("count", [9, 13, 40])
def test_how_far_one_looks_beyond_the_largest_size_changes_nothing(
    times: BatchTimes, count: int
) -> None:
    order = _jobs(count)
    assert _size(order, times, count) == _size(order[: batches.SIZES[-1]], times, count)


@pytest.mark.parametrize("times", [GPU, CPU])
@pytest.mark.parametrize("waiting", [1, 2, 3, 5, 8, 13, 40])
def test_batches_never_lengthen_all_waiting_times_together(times: BatchTimes, waiting: int) -> None:
    left, now, total = waiting, 0.0, 0.0
    while left:
        size = _size(_jobs(min(left, 8)), times, left)
        now += times.ratio(size)
        total += size * now
        left -= size
    assert total <= waiting * (waiting + 1) / 2


# What is foretold.


def _times(batch_times: BatchTimes = GPU) -> StepTimes:
    times = StepTimes(batch_times)
    times.measure(shape_of(_JOB, _MODEL), 1, 2.0)
    return times


def test_a_batch_ends_together_and_the_next_one_follows() -> None:
    order = _jobs(5)
    found = outlooks(Line(order, 1), _MODEL, _times())
    assert [found[queued.id].position for queued in order] == [0, 1, 2, 3, 4]
    etas = [found[queued.id].eta_seconds for queued in order]
    assert etas == pytest.approx([68, 68, 68, 68, 68 + 40])  # 20 steps of 2 s, 1.7 times; then one


def test_a_running_batch_is_ahead_of_all_and_its_jobs_are_first() -> None:
    running, waiting = _jobs(2, running=True, attempts=1, step=5), _jobs(1)
    found = outlooks(Line([*running, *waiting], 1), _MODEL, _times())
    assert [found[queued.id].position for queued in [*running, *waiting]] == [0, 0, 2]
    assert [found[queued.id].eta_seconds for queued in [*running, *waiting]] == pytest.approx(
        [36, 36, 76]
    )


def test_what_was_measured_of_a_batch_is_taken_as_it_is() -> None:
    times = _times()
    shape = shape_of(_JOB, _MODEL)
    times.measure(shape, 4, 3.0)
    assert times.seconds(shape, 4, 10) == pytest.approx(30)
    assert times.seconds(shape, 1, 10) == pytest.approx(20)
    assert times.seconds(replace(shape, preset="quick"), 1, 10) is None


def test_decoding_comes_after_the_last_step_one_picture_at_a_time() -> None:
    times = _times()
    times.measure_ending(shape_of(_JOB, _MODEL), 5.0)
    order = _jobs(5)
    found = outlooks(Line(order, 1), _MODEL, times)
    etas = [found[queued.id].eta_seconds for queued in order]
    assert etas == pytest.approx([88, 88, 88, 88, 88 + 45])


def test_the_mean_of_whole_batches_outweighs_what_is_known_so_far() -> None:
    times = StepTimes(GPU)
    shape = shape_of(_JOB, _MODEL)
    times.guess(shape, 1, 9.0)
    assert times.seconds(shape, 2, 10) == pytest.approx(108)
    times.measure(shape, 2, 2.4)
    times.guess(shape, 1, 9.0)
    assert times.seconds(shape, 1, 10) == pytest.approx(20)
    times.measure(shape, 2, 4.4)
    assert times.seconds(shape, 2, 10) == pytest.approx(30)


def test_a_size_that_never_ran_is_estimated_by_its_pixels_until_it_did() -> None:
    times = _times()
    own = shape_of(_JOB, _MODEL)
    times.measure_ending(own, 5.0)
    other = replace(own, width=448, height=576)
    share = 448 * 576 / 512**2
    assert times.seconds(other, 1, 10) == pytest.approx(25 * share)
    assert times.seconds(other, 2, 10) == pytest.approx((1.2 * 20 + 10) * share)
    assert times.step(other, 1) is None  # who waits for a hang does not guess
    assert times.ending(other, 1) is None
    times.measure(other, 1, 3.0)
    times.measure_ending(other, 1.0)
    assert times.seconds(other, 1, 10) == pytest.approx(31)
    assert times.seconds(own, 1, 10) == pytest.approx(25)


def test_a_strength_that_never_ran_is_estimated_by_others() -> None:
    times = _times()
    own = shape_of(_JOB, _MODEL)
    twin = replace(own, strength=0.35)
    assert times.seconds(twin, 1, 7) == pytest.approx(14)
    times.measure(twin, 1, 1.0)
    smaller = replace(twin, width=256)
    assert times.seconds(smaller, 1, 7) == pytest.approx(3.5)


def test_time_left_is_that_of_the_steps_that_are_computed() -> None:
    order = [
        *_jobs(1, init_strength="twin", running=True, step=2),
        *_jobs(1, init_strength="0.0001"),
    ]
    found = outlooks(Line(order, 1), _MODEL, _times())
    etas = [found[queued.id].eta_seconds for queued in order]
    assert etas == pytest.approx([10, 12])  # 5 of 7 are left, then there is one


def test_of_many_shapes_those_in_use_are_known_and_the_oldest_are_dropped() -> None:
    times, order = _times(), _jobs(1)
    times.measure_ending(shape_of(_JOB, _MODEL), 0.0)
    for width in range(8, 8 * 2000, 8):
        other = JobShape(width, 64, "balanced", guided=True)
        times.measure(other, 1, 1.0)
        times.guess(other, 2, 1.0)
        times.measure_ending(other, 1.0)
        waits = outlooks(Line(order, 1), _MODEL, times)[order[0].id]  # somebody asks after it
        assert waits.eta_seconds == pytest.approx(40)
    known = [times.step(JobShape(width, 64, "balanced", guided=True), 1) for width in (8, 15_992)]
    assert known == [None, 1]


def test_without_a_model_nothing_is_foretold_but_positions() -> None:
    order = _jobs(3)
    found = outlooks(Line(order, 1), None, StepTimes())
    assert [found[queued.id].position for queued in order] == [0, 1, 2]
    assert {found[queued.id].eta_seconds for queued in order} == {None}
