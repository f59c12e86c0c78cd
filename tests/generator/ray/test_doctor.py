"""What the doctor says of Ray Serve, and what a start asks for."""

import importlib.util
from pathlib import Path

import pytest
from pydantic import SecretStr

from generator import doctor_ray
from generator.executors import chosen
from generator.settings import GeneratorSettings
from lookalike.checks import Mark
from lookalike.errors import StartError
from tests.generator.ray.proxy import proxied
from tests.generator.scripted import ScriptedExecutor
from tests.generator.stack import TOKEN


def _settings(home: Path, url: str | None, token: str = TOKEN) -> GeneratorSettings:
    return GeneratorSettings(
        lookalike_home=home,
        service_token=SecretStr(token),
        generator_executor="ray",
        generator_ray_url=url,
    )


async def test_it_says_how_many_replicas_there_are_and_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generator.doctor_ray._BUSY_SECONDS", 0.2)
    async with proxied(ScriptedExecutor()) as proxy:
        settings = _settings(tmp_path, proxy.url)
        (found,) = await doctor_ray.look(settings)
        assert found.mark is Mark.OK
        assert found.summary == "Ray Serve computes in 1 replica(s), with scripted."
        async with proxy.painter._turn:
            (found,) = await doctor_ray.look(settings)
        assert found.summary == "Ray Serve computes in 1 replica(s), and all of them are busy."
        proxy.replicas, proxy.ready = 0, False
        (found,) = await doctor_ray.look(settings)
        assert (found.mark, found.passes) == (Mark.FAILED, True)
        (found,) = await doctor_ray.look(_settings(tmp_path, proxy.url, "another-token-of-ours"))
        assert (found.mark, found.passes) == (Mark.FAILED, False)
        assert "SERVICE_TOKEN" in found.summary
    (found,) = await doctor_ray.look(settings)
    assert found.summary.startswith("GENERATOR_RAY_URL cannot be reached: ")
    assert found.passes


def test_a_start_needs_an_address_and_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StartError, match="needs GENERATOR_RAY_URL") as refused:
        chosen.executor(_settings(tmp_path, None))
    assert refused.value.exit_code == StartError.EXIT_CODE
    (found,) = doctor_ray.start(_settings(tmp_path, None))
    assert found.mark is Mark.FAILED
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(StartError, match=r"pip install 'lookalike\[dispatcher\]'"):
        chosen.executor(_settings(tmp_path, "http://127.0.0.1:8000"))
