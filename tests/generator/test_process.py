"""`python -m generator` as a process, with the real small model: start, stop, kill."""

import asyncio
import hashlib
import io
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generator.web.problems import MEDIA_TYPE
from tests.generator.process import GeneratorProcess, environment, started
from tests.generator.stack import TOKEN, XML, job
from tests.waiting import eventually

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

_LONG = job("a long one", steps=40, seed=1)


@pytest.mark.long
async def test_a_life_of_three_starts(tmp_path: Path) -> None:
    async with started(tmp_path) as running:
        response = await running.client.get("/health/ready")
        assert response.status_code == 503
        assert response.headers["content-type"] == MEDIA_TYPE
        identity = await running.put(job("a cat", width=64, height=96, steps=2, seed=1))
        await running.reach(identity, "finished")
        assert (await running.client.get("/health/ready")).status_code == 200
        quick = await running.put(job("a cat", width=64, height=96, preset="quick"))
        await running.reach(quick, "finished")
        picture = await running.client.get(f"/v1/jobs/{identity}/image")
        with Image.open(io.BytesIO(picture.content)) as image:
            assert (image.format, image.size) == ("PNG", (64, 96))
        interrupted = await running.put(_LONG)
        queued = await running.put(job("next", steps=1))
        await running.reach(interrupted, "running", step=2)
        running.process.kill()
        assert await running.end() == -signal.SIGKILL

    async with started(tmp_path) as running:
        state = await running.get(interrupted)  # before the model is loaded again
        assert (state.get("state"), state.get("attempt")) == ("queued", "1")
        await running.reach(queued, "finished")  # the broken one went to the back
        state = await running.reach(interrupted, "running", step=2)
        assert state.get("attempt") == "2"
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(8):
            assert await running.end() == 0
        assert "Traceback" not in "".join(running.lines)
        assert TOKEN not in "".join(running.lines)

    async with started(tmp_path) as running:
        state = await running.get(interrupted)
        assert (state.get("state"), state.get("attempt")) == ("queued", "1")
    pictures = (tmp_path / "generator" / "results").glob("?/*")
    assert len(list(pictures)) == 3


@pytest.mark.long
async def test_a_kill_leaves_each_upload_whole_or_absent(tmp_path: Path) -> None:
    files = [_noise(number) for number in range(12)]
    async with started(tmp_path) as running:
        uploads = [asyncio.create_task(_upload(running, data)) for data in files]
        first, _ = await asyncio.wait(uploads, return_when=asyncio.FIRST_COMPLETED)
        assert {task.result() for task in first} == {201}
        running.process.kill()
        await running.end()
        answers = await asyncio.gather(*uploads, return_exceptions=True)
    async with started(tmp_path) as running:
        there = [
            data
            for data, answer in zip(files, answers, strict=True)
            if (await running.client.head(_path(data))).status_code == 200 or answer == 201
        ]
        stored = list((tmp_path / "generator" / "results").glob("?/*"))
        assert len(stored) == len(there)
        for data in there:
            name = hashlib.sha256(data).hexdigest()
            identity = await running.put(job(init=(name, "0.01"), preset="quick"))
            await running.reach(identity, "finished")
        for data in files:
            assert await _upload(running, data) == (200 if data in there else 201)


@pytest.mark.long
async def test_the_same_job_from_the_same_picture_is_the_same_picture(tmp_path: Path) -> None:
    async with started(tmp_path) as running:
        data = _noise(0)
        name = hashlib.sha256(data).hexdigest()
        assert await _upload(running, data) == 201

        async def paint(**request: Any) -> bytes:
            body = job("a cat", seed=1, steps=6, **request)
            headers = {**XML, "Accept": "image/png"}
            response = await running.client.post("/generate_image", content=body, headers=headers)
            assert response.status_code == 200, response.text
            return response.content

        twin = await paint(init=(name, "twin"), aspect=(3, 1))
        with Image.open(io.BytesIO(twin)) as image:
            assert image.size == (256, 256)  # the small model draws squares alone
        assert await paint(init=(name, "twin")) == twin
        assert len({twin, await paint(init=(name, "cousin")), await paint()}) == 3
        slow = await running.put(job(init=(name, "0.75"), steps=150))
        state = await running.reach(slow, "running", step=2)
        assert state.xpath("string(*[local-name()='progress']/@steps)") == "112"
        await running.client.delete(f"/v1/jobs/{slow}")
        await running.reach(slow, "cancelled")


def _noise(seed: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((1200 + seed, 900), 60).save(file, "JPEG")
    return file.getvalue()


async def _upload(running: GeneratorProcess, data: bytes) -> int:
    headers = {"Content-Type": "image/jpeg"}
    response = await running.client.put(_path(data), content=data, headers=headers)
    return response.status_code


def _path(data: bytes) -> str:
    return f"/v1/images/{hashlib.sha256(data).hexdigest()}"


async def test_a_stop_leaves_a_load_behind(tmp_path: Path) -> None:
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "torch.py").write_text(
        "import sys, threading\n"
        "print('PyTorch is imported', file=sys.stderr, flush=True)\n"
        "threading.Event().wait()\n"
    )
    async with started(tmp_path / "home", PYTHONPATH=str(folder)) as running:
        waiting = await running.put(job("a cat"))

        async def importing() -> bool | None:
            return True if "PyTorch is imported\n" in running.lines else None

        await eventually(importing)
        running.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(8):
            assert await running.end() == 0, running.lines
        assert "Traceback" not in "".join(running.lines)
    async with started(tmp_path / "home", PYTHONPATH=str(folder)) as running:
        assert (await running.get(waiting)).get("state") == "queued"


async def _fails(home: Path, code: int = 78, /, **more: str) -> str:
    """The only line that a start which cannot work prints, logs aside."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "generator",
        env=environment(home, **more),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, errors = await process.communicate()
    assert process.returncode == code
    assert b"Traceback" not in errors
    (sentence,) = [
        line for line in errors.decode().splitlines() if line.startswith("lookalike generator: ")
    ]
    return sentence


async def test_a_model_that_is_not_there_is_one_sentence_before_pytorch_is_imported(
    tmp_path: Path,
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('too early')")
    missing = str(tmp_path / "missing")
    assert missing in await _fails(tmp_path, GENERATOR_MODEL=missing, PYTHONPATH=str(tmp_path))


@pytest.mark.long
async def test_a_port_or_a_home_in_use_is_one_sentence(tmp_path: Path) -> None:
    async with started(tmp_path / "first") as running:
        address = running.client.base_url.netloc.decode()
        sentence = await _fails(tmp_path / "second", 75, GENERATOR_LISTEN=address)
        assert "GENERATOR_LISTEN" in sentence
        assert address in sentence
        sentence = await _fails(tmp_path / "first", 75)
        database = tmp_path / "first" / "generator" / "jobs.db"
        assert sentence == f"lookalike generator: Another process uses {database}."


async def test_a_preset_without_its_weights_is_one_sentence(tmp_path: Path) -> None:
    more = {"GENERATOR_PRESET": "fast", "HF_HUB_CACHE": str(tmp_path / "cache")}
    sentence = await _fails(tmp_path / "home", **more)
    assert sentence.endswith(
        "GENERATOR_PRESET cannot be used. The preset fast needs the weights"
        " latent-consistency/lcm-lora-sdv1-5, which are not on this machine. Fetch them:"
        " `lookalike download`."
    )
    sentence = await _fails(tmp_path / "home", GENERATOR_LCM_LORA=str(tmp_path / "missing"))
    assert "GENERATOR_LCM_LORA" in sentence


async def test_results_that_cannot_be_kept_are_one_sentence(tmp_path: Path) -> None:
    taken = tmp_path / "a file"
    taken.write_bytes(b"")
    assert str(taken) in await _fails(tmp_path, GENERATOR_RESULTS_URL=taken.as_uri())


async def test_a_database_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    other.write_bytes(b"this is no database, and much longer than a header" * 10)
    assert str(other) in await _fails(tmp_path, GENERATOR_DATABASE_URL=f"sqlite:///{other}")


async def test_databases_and_results_can_be_elsewhere(tmp_path: Path) -> None:
    database, results = tmp_path / "a b" / "jobs.db", tmp_path / "c d"
    more = {
        "GENERATOR_DATABASE_URL": f"sqlite:///{database}",
        "GENERATOR_RESULTS_URL": results.as_uri(),
    }
    async with started(tmp_path / "home", **more) as running:
        await running.put(job())
    assert database.exists()
    assert results.is_dir()
    assert not (tmp_path / "home" / "generator").exists()
