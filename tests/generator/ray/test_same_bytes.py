"""The same request gives the same bytes, whether it is computed here or over there."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generator.diffusion.options import Options
from generator.executors.inprocess import InProcessExecutor
from generator.tasks import CancelToken, InitImage, Picture, Step, Task
from tests.generator import tiny
from tests.generator.ray.proxy import asking, proxied

pytestmark = [pytest.mark.filterwarnings(tiny.NUMPY_WARNING), pytest.mark.slow]


def _png() -> bytes:
    levels = np.random.default_rng(1).integers(0, 256, (70, 90, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG")
    return file.getvalue()


async def test_pictures_and_previews_are_the_same(tmp_path: Path) -> None:
    task = Task("a cat", "blurry", tiny.SIDE, tiny.SIDE, 6, 7.3, 42)
    init = InitImage(_png(), 0.55)
    calls = [
        [task],
        [Task("a dog", "", 72, tiny.SIDE, 4, 1.0, 2**62, "quick")],
        [
            Task(f"a cat {seed}", "", tiny.SIDE, tiny.SIDE, 6, 7.5, seed, "faithful", init)
            for seed in range(4)
        ],
    ]
    here = InProcessExecutor(str(tiny.save(tmp_path / "tiny")), Options("cpu"))
    previews = 0
    async with proxied(here) as proxy, asking(proxy) as there:
        for tasks in calls:
            tokens = [CancelToken() for _ in tasks]
            steps: tuple[list[Step], list[Step]] = ([], [])
            expected = await here.run(tasks, steps[0].append, tokens)
            found = await there.run(tasks, steps[1].append, tokens)
            assert all(isinstance(outcome, Picture) for outcome in found)
            assert found == expected
            assert steps[1] == [Step(0, 0), *steps[0]]
            previews += sum(step.preview is not None for step in steps[1])
    assert previews
