"""Pictures by the real pipeline on tiny models."""

import io
import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from generator.diffusion.options import Options
from generator.diffusion.pipeline import Pipeline
from generator.presets import Solver
from generator.tasks import Cancelled, CancelToken, SafetyRejected, Step, Task, TaskError
from lookalike.errors import StartError
from tests.generator import tiny
from tests.generator.drawing import draw, draw_all, load, shown

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task(
    prompt="a cat lying on a sofa",
    negative_prompt="blurry",
    width=tiny.SIDE,
    height=tiny.SIDE,
    steps=4,
    guidance_scale=7.5,
    seed=42,
)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    folder = tiny.save(tmp_path_factory.mktemp("models") / "tiny")
    return load(folder)


@pytest.fixture
def restored(loaded: Pipeline) -> Iterator[Any]:
    """The diffusers pipeline inside, whose weights a test may spoil."""
    parts = (loaded._pipe.unet, loaded._pipe.vae)
    before = [
        {name: part.state_dict()[name].clone() for name in part.state_dict()} for part in parts
    ]
    yield loaded._pipe
    for part, weights in zip(parts, before, strict=True):
        part.load_state_dict(weights)


def test_a_picture_has_the_asked_size_and_is_no_flat_field(loaded: Pipeline) -> None:
    picture = draw(loaded, TASK)
    image = Image.open(io.BytesIO(picture.png))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
    assert (picture.width, picture.height) == (64, 64)
    assert np.asarray(image).std() > 10


def test_a_png_holds_nothing_but_the_picture_and_its_recipe(loaded: Pipeline) -> None:
    png = draw(loaded, TASK).png
    chunks, at = [], 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        chunks.append(png[at + 4 : at + 8])
        at += length + 12
    assert set(chunks) == {b"IHDR", b"iTXt", b"IDAT", b"IEND"}
    assert chunks.count(b"iTXt") == 1
    recipe = json.loads(Image.open(io.BytesIO(png)).info["lookalike"])
    assert (recipe["model"], recipe["prompt"], recipe["seed"]) == ("tiny", TASK.prompt, 42)
    assert "strength" not in recipe


def test_the_model_says_its_name_and_own_size(loaded: Pipeline) -> None:
    assert (loaded.info.name, loaded.info.width, loaded.info.height) == ("tiny", 256, 256)
    assert loaded.info.size(None, None, (3, 5)) == (192, 320)


@pytest.mark.parametrize("steps", [1, 2, 3, 20, 150])
def test_every_step_is_reported_once(loaded: Pipeline, steps: int) -> None:
    reported: list[int] = []
    draw_all(loaded, [replace(TASK, steps=steps)], lambda step: reported.append(step.number))
    assert reported == list(range(1, steps + 1))


@pytest.mark.parametrize(("width", "height"), [(64, 64), (72, 200), (1024, 64), (64, 1024)])
def test_any_size_in_range_can_be_drawn(loaded: Pipeline, width: int, height: int) -> None:
    picture = draw(loaded, replace(TASK, width=width, height=height, steps=1))
    assert Image.open(io.BytesIO(picture.png)).size == (width, height)


def test_the_same_task_gives_the_same_bytes(loaded: Pipeline) -> None:
    assert draw(loaded, TASK) == draw(loaded, TASK)


def test_whatever_a_task_says_changes_the_picture(loaded: Pipeline) -> None:
    tasks = [
        TASK,
        replace(TASK, prompt="a red fire truck"),
        replace(TASK, negative_prompt=""),
        replace(TASK, steps=5),
        replace(TASK, guidance_scale=0),
        replace(TASK, guidance_scale=1.5),
        replace(TASK, guidance_scale=30),
        replace(TASK, seed=0),
        replace(TASK, seed=2**63 - 1),
    ]
    assert len({shown(draw(loaded, task)) for task in tasks}) == len(tasks)


def test_guidance_of_one_or_less_is_none_and_needs_no_negative_prompt(loaded: Pipeline) -> None:
    plain = replace(TASK, guidance_scale=1)
    for same in (replace(plain, negative_prompt=""), replace(plain, guidance_scale=0)):
        assert shown(draw(loaded, same)) == shown(draw(loaded, plain))


@pytest.mark.parametrize(
    "prompt",
    ["x" * 1000, "word " * 200, "猫🐈" * 500, "<|endoftext|>" * 70, " ", "\u0301\u200d", "{}%s\\"],
)
def test_any_text_can_be_drawn(loaded: Pipeline, prompt: str) -> None:
    assert draw(loaded, replace(TASK, prompt=prompt, negative_prompt=prompt, steps=1)).png


def test_what_stands_beyond_77_tokens_is_cut_off(loaded: Pipeline) -> None:
    long = "word " * 100
    first = draw(loaded, replace(TASK, prompt=f"{long} cat", steps=1))
    second = draw(loaded, replace(TASK, prompt=f"{long} dog", steps=1))
    assert shown(first) == shown(second)


def test_a_cancelled_task_ends_within_one_step_and_leaves_no_trace(loaded: Pipeline) -> None:
    before = draw(loaded, TASK)
    reported: list[int] = []
    token = CancelToken()

    def on_step(step: Step) -> None:
        reported.append(step.number)
        if step.number == 3:
            token.cancel()

    (outcome,) = loaded.run([replace(TASK, steps=50, seed=7)], on_step, [token])
    assert isinstance(outcome, Cancelled)
    assert reported == [1, 2, 3]
    assert draw(loaded, TASK) == before


def test_a_task_cancelled_before_it_starts_does_no_step(loaded: Pipeline) -> None:
    reported: list[int] = []
    token = CancelToken()
    token.cancel()
    (outcome,) = loaded.run([TASK], lambda step: reported.append(step.number), [token])
    assert isinstance(outcome, Cancelled)
    assert reported == []


def test_a_flagged_picture_is_refused(tmp_path: Path) -> None:
    strict = load(tiny.save(tmp_path, "everything"))
    with pytest.raises(SafetyRejected):
        draw(strict, TASK)


def test_a_picture_that_is_not_flagged_is_left_as_it_is(loaded: Pipeline, tmp_path: Path) -> None:
    lenient = load(tiny.save(tmp_path, "nothing"))
    assert shown(draw(lenient, TASK)) == shown(draw(loaded, TASK))


def test_numbers_that_overflow_are_an_error_at_the_first_step(
    loaded: Pipeline, restored: Any
) -> None:
    restored.unet.conv_out.bias.data.fill_(float("nan"))
    reported: list[int] = []
    (outcome,) = draw_all(loaded, [TASK], lambda step: reported.append(step.number))
    assert isinstance(outcome, TaskError)
    assert "overflowed" in str(outcome)
    assert reported == []


@pytest.mark.parametrize("flags", [None, "nothing"])
def test_a_decoder_that_overflows_is_an_error_and_no_black_picture(
    tmp_path: Path, flags: tiny.Flags | None
) -> None:
    broken = load(tiny.save(tmp_path, flags))
    broken._pipe.vae.decoder.conv_out.bias.data.fill_(float("inf"))
    broken._pipe.vae.decoder.conv_out.weight.data.fill_(float("-inf"))
    with pytest.raises(TaskError, match="overflowed"):
        draw(broken, TASK)


def test_a_picture_that_does_not_fit_memory_is_an_error_and_the_next_one_works(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = draw(loaded, TASK)

    def decode(*_arguments: object, **_options: object) -> object:
        return torch.empty(1 << 60)  # the allocator's own refusal

    with monkeypatch.context() as patch:
        patch.setattr(loaded._pipe.vae, "decode", decode)
        with pytest.raises(TaskError, match=r"64 x 64 does not fit .* memory"):
            draw(loaded, TASK)
    assert draw(loaded, TASK) == before


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory.")])
def test_every_allocator_is_understood(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def decode(*_arguments: object, **_options: object) -> object:
        raise error

    monkeypatch.setattr(loaded._pipe.vae, "decode", decode)
    with pytest.raises(TaskError, match="does not fit"):
        draw(loaded, TASK)


def test_another_fault_is_not_taken_for_a_lack_of_memory(
    loaded: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(*_arguments: object, **_options: object) -> object:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(loaded._pipe.vae, "decode", decode)
    with pytest.raises(RuntimeError, match="shapes"):
        draw(loaded, TASK)


@pytest.mark.parametrize("device", ["cuda", "mps", "tpu", ""])
def test_a_device_that_is_not_there_is_said_in_one_sentence(
    device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(StartError, match=f"^GENERATOR_DEVICE {device}"):
        load("emoji", Options(device))


@pytest.mark.parametrize(
    ("message", "reason"),
    [("CUDA error: no kernel image\nmore", "no kernel image"), ("out of memory", "does not fit")],
)
def test_a_device_that_refuses_the_model_is_said_in_one_sentence(
    message: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> object:
        raise RuntimeError(message)

    monkeypatch.setattr(StableDiffusionPipeline, "to", refuse)
    with pytest.raises(StartError, match=f"^GENERATOR_DEVICE cpu cannot be used: .*{reason}.*"):
        load("emoji", Options("cpu"))


def test_a_small_model_takes_one_thread(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        load(tiny.save(tmp_path))
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("size", "drawn"), [((256, 256), 64), ((512, 512), 128), ((128, 128), 32), ((264, 248), 72)]
)
def test_what_a_small_model_draws_is_enlarged_to_the_asked_size(
    size: tuple[int, int], drawn: int, tmp_path: Path
) -> None:
    small = tiny.build()
    small.unet.register_to_config(sample_size=8)
    small.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    assert (loaded.info.width, loaded.info.height) == (256, 256)
    width, height = size
    picture = draw(loaded, replace(TASK, width=width, height=height))
    enlarged = Image.open(io.BytesIO(picture.png))
    assert (picture.width, picture.height) == enlarged.size == size
    task = replace(TASK, width=drawn, height=64 if height == 248 else drawn)
    own = tiny.reference(small, task, Solver.DPM)
    assert np.array_equal(
        np.asarray(enlarged), np.asarray(own.resize(size, Image.Resampling.LANCZOS))
    )


def test_emoji_draws_its_own_size_and_follows_prompt_and_seed() -> None:
    emoji = load("emoji", Options("cpu"))
    assert (emoji.info.name, emoji.info.width, emoji.info.height) == ("emoji", 256, 256)
    assert emoji.info.sizes == ((256, 256),)
    task = replace(TASK, width=256, height=256, steps=3)
    pictures = [
        draw(emoji, task),
        draw(emoji, replace(task, prompt="a dog")),
        draw(emoji, replace(task, seed=1)),
    ]
    assert len(set(map(shown, pictures))) == 3
    for picture in pictures:
        pixels = np.asarray(Image.open(io.BytesIO(picture.png)))
        assert pixels.std() > 30
