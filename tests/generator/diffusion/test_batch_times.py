"""What a step takes for batches of several sizes: measured, with what it costs to be wrong."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from generator.diffusion import batch_times, memory
from generator.models import loading
from generator.scheduling import batches
from generator.tasks import BatchTimes, CancelToken
from tests.generator import tiny
from tests.generator.drawing import load

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]


class _Machine:
    """A clock that steps advance, each size by its own time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: Callable[[int], float]) -> None:
        self.now = 0.0
        self.sizes: list[int] = []
        self._seconds = seconds
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)

    def step(self, size: int) -> None:
        self.sizes.append(size)
        self.now += self._seconds(size)

    def measure(self, most: int = 8, token: CancelToken | None = None) -> BatchTimes | None:
        steps = batch_times.Steps(self.step, 512 * 512, bytes_each=1)
        return batch_times.measure(steps, batches.SIZES, lambda: most, token or CancelToken())


def test_all_sizes_that_pay_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _Machine(monkeypatch, lambda size: 1 + 0.2 * size).measure()
    assert found is not None
    assert found.pixels == 512 * 512
    assert found.seconds == pytest.approx({1: 1.2, 2: 1.4, 4: 1.8, 8: 2.6})


def test_what_does_not_pay_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = _Machine(monkeypatch, float)
    found = machine.measure()
    assert found is not None
    assert set(found.seconds) == {1}
    assert 4 not in machine.sizes


def test_what_may_not_fit_memory_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = _Machine(monkeypatch, lambda _: 1.0)
    found = machine.measure(most=2)
    assert found is not None
    assert set(found.seconds) == set(machine.sizes) == {1, 2}


@pytest.mark.parametrize(("most", "sizes"), [(4, {1, 2, 4}), (1, {1}), (0, set())])
def test_a_size_that_does_not_fit_memory_after_all_is_dropped_and_smaller_ones_are_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, most: int, sizes: set[int]
) -> None:
    def seconds(size: int) -> float:
        if size > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 1 + 0.2 * size

    found = _Machine(monkeypatch, seconds).measure()
    assert found is not None
    assert set(found.seconds) == sizes
    assert "do not fit memory" in caplog.text


def test_a_size_that_does_not_fit_any_more_is_dropped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(size: int) -> float:
        if size == 2 and 4 in machine.sizes:  # which left too little
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return 1 + 0.2 * size

    machine = _Machine(monkeypatch, seconds)
    found = machine.measure()
    assert found is not None
    assert set(found.seconds) == {1}


def test_another_fault_of_a_step_is_not_taken_for_want_of_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_size: int) -> float:
        raise RuntimeError("no kernel image is available")

    with pytest.raises(RuntimeError, match="no kernel"):
        _Machine(monkeypatch, fail).measure()


def test_a_gain_within_the_noise_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    paces = iter([1.0, 1.6, 0.7, 1.5, 0.8, 1.4] * 10)
    found = _Machine(monkeypatch, lambda size: size * 0.92 ** (size > 1) * next(paces)).measure()
    assert found is not None
    assert set(found.seconds) == {1}


def test_a_machine_that_slows_down_all_the_while_is_not_misread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = _Machine(monkeypatch, lambda size: size * (1 + machine.now / 1000))
    found = machine.measure()
    assert found is not None
    assert set(found.seconds) == {1}


def test_a_cancelled_measurement_ends_within_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()

    def cancel(size: int) -> float:
        token.cancel()
        return float(size)

    machine = _Machine(monkeypatch, cancel)
    assert machine.measure(token=token) is None
    assert machine.sizes == [1]


def test_a_small_model_does_not_batch(tmp_path: Path) -> None:
    loaded = load(tiny.save(tmp_path))
    assert loaded.measure(batches.SIZES, CancelToken()) == BatchTimes()


def test_a_model_is_measured_at_its_own_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "_SMALL", 0)
    loaded = load(tiny.save(tmp_path))
    found = loaded.measure(batches.SIZES[:2], CancelToken())
    assert found is not None
    assert found.pixels == 256 * 256
    assert found.seconds[1] > 0
    monkeypatch.setattr(memory, "free", lambda _device: 0)
    # Memory is looked at again and again.
    assert set(batches.fitting(found, loaded.free_memory()).seconds) == {1}
    alone = loaded.measure(batches.SIZES, CancelToken())
    assert alone is not None
    assert set(alone.seconds) == {1}


def test_what_pytorch_keeps_of_a_gpus_memory_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {"mem_get_info": (100, 1000), "memory_reserved": 700, "memory_allocated": 300}
    for name, figure in figures.items():
        monkeypatch.setattr(torch.cuda, name, lambda _device, figure=figure: figure)
    assert memory.free(torch.device("cuda")) == 500


@pytest.mark.parametrize(
    ("limit", "used", "free"),
    [("1000", "400", 650), ("max", "400", None), (None, None, None)],
)
def test_a_containers_memory_limit_counts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str | None,
    used: str | None,
    free: int | None,
) -> None:
    statistics = "anon 300\ninactive_file 50\n"  # 50 of what is used are files that were read
    for name, content in (("_LIMIT", limit), ("_USED", used), ("_STATISTICS", statistics)):
        file = tmp_path / name
        if content is not None:
            file.write_text(content)
        monkeypatch.setattr(memory, name, file)
    found = memory.free(torch.device("cpu"))
    assert found == free if free is not None else found > 1_000_000


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
    assert set(batch_times.paying(seconds, noise)) == sizes
