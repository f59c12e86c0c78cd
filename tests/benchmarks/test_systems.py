"""Systems in processes of their own, on a tiny model."""

from collections.abc import Generator

import pytest

from benchmarks import model, overhead, steps
from benchmarks.likeness import cosine, psnr
from benchmarks.processes import System, take_turns
from benchmarks.rows import OURS, REPORT
from benchmarks.systems import Drawing, Setup
from generator.models import lora
from generator.presets import BALANCED, FAITHFUL, FAST, PRESETS
from tests.generator import tiny

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> Setup:
    folder = tmp_path_factory.mktemp("systems")
    made = tiny.save(folder / "tiny")
    model.make_lora(made, folder / "lora.safetensors")
    return Setup(made, folder / "lora.safetensors", folder / "not-there", tiny.SIDE)


@pytest.fixture(scope="module")
def ours(setup: Setup) -> Generator[System, None, None]:
    system = System(OURS, setup)
    yield system
    system.close()


def test_turns_are_taken_so_that_all_are_equally_far() -> None:
    said: list[str] = []

    def run(name: str, turns: int) -> Generator[None, None, None]:
        for _ in range(turns):
            said.append(name)
            yield

    take_turns([(2, run("a", 2)), (6, run("b", 6)), (1, run("c", 0))])
    assert "".join(said) == "abbbabbb"


@pytest.mark.long
def test_the_report_draws_what_we_draw_and_each_waits_for_its_turn(
    setup: Setup, ours: System
) -> None:
    report = System(REPORT, setup)
    drawing = Drawing(PRESETS[BALANCED], 3, (7,))
    theirs, own = report.draw(drawing), ours.draw(drawing)
    for _ in range(4):  # three steps and the decoder
        next(theirs)
        next(own)
    with pytest.raises(StopIteration) as first:
        next(theirs)
    with pytest.raises(StopIteration) as second:
        next(own)
    report.close()
    one, other = first.value.value, second.value.value
    assert cosine(one.drawn.latents, other.drawn.latents) > 0.9999
    assert psnr(one.drawn.pixels, other.drawn.pixels) > 40
    for taken in (one, other):
        assert len(taken.seconds) == 4
        assert min(taken.seconds) > 0
        assert taken.peak > 0.05
    for seconds in (*report.start, *ours.start):
        assert seconds > 0


def test_a_batch_has_a_mark_for_each_step(ours: System) -> None:
    drawing = Drawing(PRESETS[FAITHFUL], 4, (1, 2), decode=False)
    assert len(ours.draw_alone(drawing).seconds) == 4


@pytest.mark.long
def test_seconds_are_told_apart_for_each_step_of_the_dial(setup: Setup, ours: System) -> None:
    costs = steps.measure({OURS: ours}, tiny.SIDE, steps=20)
    assert {name: cost.computed for name, cost in costs.items()} == {
        "Dream": 20,
        "Cousin": 15,
        "Sibling": 11,
        "Twin": 7,
        "Dream, 3:4": 20,
    }
    for name, cost in costs.items():
        assert min(cost.steps, cost.embed, cost.decode) > 0
        assert (cost.encode > 0) == (not name.startswith("Dream"))
    report = System(REPORT, setup)
    assert set(steps.speed_ups({OURS: ours, REPORT: report}, tiny.SIDE)) == {"1:1", "3:4"}
    report.close()


def test_the_weights_that_are_made_for_fast_fit_the_model(setup: Setup, ours: System) -> None:
    assert lora.fits(setup.lora, tiny.build().unet)
    assert len(ours.draw_alone(Drawing(PRESETS[FAST], 2, (1,))).seconds) == 3


def test_one_that_fails_says_how(setup: Setup) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)nobody failed:.*No module named"):
        System("nobody", setup)


@pytest.mark.long
def test_the_real_service_is_measured_without_the_models_time(setup: Setup) -> None:
    found = overhead.measure(setup.model, tiny.SIDE, jobs=2)
    assert len(found) == 2
    assert all(milliseconds > 0 for milliseconds in found)
