"""Previews: drawn from latents, shown while a job runs, never past a safety checker."""

import io
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL
from diffusers.configuration_utils import FrozenDict
from PIL import Image

from generator import models
from generator.diffusion.options import Options, Previews
from generator.diffusion.sampling import loop
from generator.diffusion.sampling.previews import Previewer
from generator.models import SD15, loading
from generator.tasks import Step, Task
from tests.generator import tiny
from tests.generator.drawing import draw_all, load
from tests.generator.stack import Stack, code, element, job

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]

TASK = Task("a cat", "", tiny.SIDE, tiny.SIDE, 6, 7.5, 1)


def _shown(options: Options, model: Path) -> list[bytes]:
    found: list[bytes] = []

    def on_step(step: Step) -> None:
        if step.preview is not None:
            found.append(step.preview)

    draw_all(load(model, options), [TASK], on_step)
    return found


@pytest.mark.long
@pytest.mark.parametrize("previews", get_args(Previews))
@pytest.mark.parametrize("flags", [None, "everything", "nothing"])
def test_a_model_with_a_safety_checker_shows_nothing_unless_told_to(
    tmp_path: Path, previews: Previews, flags: tiny.Flags | None
) -> None:
    found = _shown(Options("cpu", previews=previews), tiny.save(tmp_path, flags))
    assert bool(found) is (previews == "always" or (previews == "1" and flags is None))


def test_previews_come_at_most_every_second_or_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny.save(tmp_path)
    monkeypatch.setattr(loop, "_PREVIEW_SECONDS", 3600.0)
    assert len(_shown(Options("cpu"), model)) == 1
    monkeypatch.setattr(loop, "_PREVIEW_SECONDS", 0.0)
    assert len(_shown(Options("cpu"), model)) == TASK.steps


class _LinearVae(torch.nn.Module):
    """A decoder whose colours are a linear map of its latents, 8 x 8 pixels each."""

    def __init__(self, colours: torch.Tensor) -> None:
        super().__init__()
        self.config = FrozenDict(
            latent_channels=3, scaling_factor=0.5, block_out_channels=(8,), layers_per_block=1
        )
        self.colours = torch.nn.Parameter(colours)
        self.device, self.dtype = colours.device, colours.dtype

    def decode(self, latents: torch.Tensor, *, return_dict: bool) -> tuple[torch.Tensor]:
        assert not return_dict
        mixed = torch.einsum("bchw,ck->bkhw", latents * self.config.scaling_factor, self.colours)
        return (torch.nn.functional.interpolate(mixed + 0.1, scale_factor=8),)


def test_the_colours_of_an_unknown_decoder_are_found_by_trial() -> None:
    colours = torch.tensor([[0.5, 0.0, 0.1], [0.0, -0.4, 0.0], [0.2, 0.2, 0.3]])
    previewer = Previewer(_LinearVae(colours))
    latents = torch.tensor([1.0, -0.5, 0.5]).reshape(1, 3, 1, 1).expand(1, 3, 64, 64)
    expected = (latents[0, :, 0, 0] @ colours + 0.1 + 1) * 127.5
    shown = np.asarray(Image.open(io.BytesIO(previewer.draw(latents)))).astype(float)
    assert np.abs(shown - expected.numpy()).max() <= 4  # of 255; JPEG rounds


def test_a_real_decoders_colours_are_met_more_or_less() -> None:
    vae = loading.load(models.find("emoji"), torch.float32).vae
    generator = torch.Generator().manual_seed(5)
    rough = torch.randn((1, vae.config.latent_channels, 4, 4), generator=generator)
    latents = torch.nn.functional.interpolate(rough, 64, mode="bicubic")
    with torch.no_grad():
        decoded = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    true = torch.nn.functional.adaptive_avg_pool2d((decoded[0] + 1) * 127.5, 16).numpy()
    shown = _pixels(Previewer(vae).draw(latents), 16).transpose(2, 0, 1)
    assert np.corrcoef(shown.ravel(), true.ravel())[0, 1] > 0.6


def _pixels(picture: bytes, side: int) -> Any:
    small = Image.open(io.BytesIO(picture)).resize((side, side), Image.Resampling.BOX)
    return np.asarray(small).astype(float)


@pytest.mark.parametrize(
    ("cells", "size"),
    [((64, 64), (256, 256)), ((8, 8), (256, 256)), ((128, 8), (256, 16)), ((8, 16), (128, 256))],
)
def test_a_preview_is_a_small_jpeg(cells: tuple[int, int], size: tuple[int, int]) -> None:
    width, height = cells
    image = Image.open(
        io.BytesIO(Previewer(tiny.build().vae).draw(torch.randn(1, 4, height, width)))
    )
    assert (image.format, image.size) == ("JPEG", size)


def test_numbers_that_are_none_can_be_shown() -> None:
    assert Previewer(tiny.build().vae).draw(torch.full((1, 4, 8, 8), float("nan")))


def test_the_latents_of_stable_diffusion_have_known_colours() -> None:
    with torch.device("meta"):
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(SD15 / "vae"))
    white = torch.tensor([2.5, 2.0, 0.0, -1.0]).reshape(1, 4, 1, 1).expand(1, 4, 8, 8)
    shown = [_pixels(Previewer(vae).draw(latents), 1) for latents in (white, -white)]
    assert shown[0].min() > 250
    assert shown[1].max() < 5


# Over HTTP.


async def test_a_running_job_has_a_preview_once_there_is_one(stack: Stack) -> None:
    stack.executor.previews = {2: b"\xff\xd8 second", 3: b"\xff\xd8 third"}
    identity = await stack.put(job(steps=5))
    path = f"/v1/jobs/{identity}/preview"
    await stack.reach(identity, "running")
    stack.executor.step()
    state = await stack.at_step(identity, 1)
    assert _href(state) is None
    none = await stack.client.get(path)
    assert (none.status_code, code(none)) == (404, "no-preview")
    stack.executor.step()
    assert _href(await stack.at_step(identity, 2)) == path
    first = await stack.client.get(path, headers={"Accept": "image/*"})
    assert (first.status_code, first.content) == (200, b"\xff\xd8 second")
    assert first.headers["content-type"] == "image/jpeg"
    assert first.headers["cache-control"] == "no-store"
    known = {"If-None-Match": first.headers["etag"]}
    same = await stack.client.get(path, headers=known)
    assert (same.status_code, same.content) == (304, b"")
    head = await stack.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    stack.executor.step()
    await stack.at_step(identity, 3)
    assert (await stack.client.get(path, headers=known)).content == b"\xff\xd8 third"
    stack.executor.step()
    await stack.at_step(identity, 4)
    assert (await stack.client.get(path)).content == b"\xff\xd8 third"
    stack.executor.go()
    state = await stack.reach(identity, "finished")
    assert _href(state) is None
    gone = await stack.client.get(path)
    assert (gone.status_code, code(gone)) == (404, "no-preview")


async def test_a_cancelled_job_has_no_preview(stack: Stack) -> None:
    stack.executor.deaf = True
    stack.executor.previews = {1: b"\xff\xd8"}
    identity = await stack.put()
    stack.executor.step()
    await stack.at_step(identity, 1)
    await stack.client.delete(f"/v1/jobs/{identity}")
    gone = await stack.client.get(f"/v1/jobs/{identity}/preview")
    assert (gone.status_code, code(gone)) == (404, "no-preview")


async def test_what_nobody_submitted_has_none(stack: Stack) -> None:
    response = await stack.client.get(f"/v1/jobs/{uuid4()}/preview")
    assert (response.status_code, code(response)) == (404, "unknown-job")


async def test_bulk_states_tell_of_previews(stack: Stack) -> None:
    stack.executor.previews = {1: b"\xff\xd8"}
    identity = await stack.put()
    stack.executor.step()
    await stack.at_step(identity, 1)
    response = await stack.client.get("/v1/jobs", params={"id": [str(identity)]})
    assert _href(element(response)[0]) == f"/v1/jobs/{identity}/preview"


def _href(state: Any) -> str | None:
    found = state.xpath("string(*[local-name()='preview']/@href)")
    return str(found) or None
