"""`python -m generator.doctor`: the generator's own checks for `lookalike doctor`."""

import asyncio
from pathlib import Path

from generator import models
from generator.diffusion import memory
from generator.diffusion.options import Options
from generator.executors.inprocess import InProcessExecutor
from generator.models import ModelFormat, Source, layout, lora
from generator.presets import FAST
from generator.settings import GeneratorSettings
from lookalike import checks, integrity
from lookalike.checks import Finding, failed, ok, warning
from lookalike.database import path_of
from lookalike.errors import StartError
from protos import GENERATOR_NAMESPACE

_LIBRARIES = 500_000_000
_ACTIVATIONS = {"cpu": 0.75, "cuda": 0.4}
"""What a run at the model's own size takes besides the weights: bytes, and a share of the weights.

Estimates, rounded up. On a CPU some weights are kept as sums, which are more of them.
"""

_FETCH = "Name another GENERATOR_MODEL, or `emoji`, or fetch it again."
_FETCH_FAST = "Fetch them: `lookalike download --fast`."
_NAME_FAST = "Name others in GENERATOR_LCM_LORA, or leave it out and `lookalike download --fast`."


async def _port(settings: GeneratorSettings) -> list[Finding]:
    listen = settings.generator_listen
    ours = await asyncio.to_thread(_answers, listen)
    return [await asyncio.to_thread(checks.port, "GENERATOR_LISTEN", listen, ours=ours)]


def _answers(listen: str) -> bool:
    """Whether a generator listens there."""
    return GENERATOR_NAMESPACE in checks.get(listen, "/v1/schema.xsd")[1]


async def _database(settings: GeneratorSettings) -> list[Finding]:
    path = path_of(settings.database_url)
    return [await asyncio.to_thread(integrity.database, path)]


async def _pictures(settings: GeneratorSettings) -> list[Finding]:
    return [checks.folder("pictures", settings.results)]


async def _model(settings: GeneratorSettings) -> list[Finding]:
    """Whether the model is here, fits this machine and loads; a running generator has loaded it."""
    half = await asyncio.to_thread(_takes_half, settings.generator_device)
    try:
        source = models.find(settings.generator_model)
        if source.format is ModelFormat.HUB and layout.cached(source.location) is None:
            summary = f"GENERATOR_MODEL {source.location} is not on this machine."
            return [failed(checks.MODEL_MISSING, summary, "Fetch it: `lookalike download`.")]
        folder, files = _files(source, half=half)
    except StartError as error:
        return [failed("model", str(error), _FETCH)]
    try:
        count = await asyncio.to_thread(layout.count_numbers, files)
    except Exception as error:  # noqa: BLE001, a damaged file raises what its library likes
        summary = f"GENERATOR_MODEL {source.location} has a broken file: {error}."
        return [failed("model", summary, _FETCH)]
    kept = checks.size(sum(file.stat().st_size for file in files))
    licence = layout.licence(folder, source.location)
    summary = (
        f"{source.name} is here ({kept}), under {licence or 'a licence that is not known here'}."
    )
    found = [_present(summary, licence)]
    listen = settings.generator_listen
    if await asyncio.to_thread(_answers, listen):
        ready = (await asyncio.to_thread(checks.get, listen, "/health/ready"))[0] == 200  # noqa: PLR2004
        said = "has loaded" if ready else "is loading"
        summary = f"A generator runs and {said} the model that it was started with."
        return [*found, ok("memory", summary)]
    room = _memory(count, settings.generator_device, half=half)
    if room.mark is checks.Mark.FAILED:
        return [*found, room]
    return [*found, room, *await _load(settings)]


def _takes_half(device: str) -> bool:
    from generator.engines import choice

    return choice.takes_half(device)


def _files(source: Source, *, half: bool) -> tuple[Path, list[Path]]:
    """A model's folder and its weights."""
    path = Path(source.location)
    if source.format is ModelFormat.FILE:
        return path.parent, [path]
    if source.format is ModelFormat.HUB:
        path = layout.cached(source.location) or path
    if problem := layout.problem(path):
        raise StartError(f"GENERATOR_MODEL {source.location} cannot be loaded: {problem}.")
    return path, layout.weights(path, half=half)


def _present(summary: str, licence: str) -> Finding:
    if licence == layout.OPENRAIL:
        remedy = "Who lets others use it passes its conditions on (section III, paragraph 4)."
        return ok("model", summary, remedy)
    return ok("model", summary) if licence else warning("model", summary, "Read its model card.")


def _memory(count: int, device: str, *, half: bool) -> Finding:
    """Whether the weights and a run fit the free memory of the device."""
    import torch

    weights = count * (2 if half else 4)
    place = "cuda" if device in {"auto", "cuda"} and torch.cuda.is_available() else "cpu"
    needed = weights * (1 + _ACTIVATIONS[place]) + _LIBRARIES
    free = memory.free(torch.device(place))
    summary = f"The model needs about {checks.size(needed)} of memory; {checks.size(free)} is free."
    if needed > free:
        return failed("memory", summary, "Close other programs, or take a smaller model.")
    return ok("memory", summary)


async def _load(settings: GeneratorSettings) -> list[Finding]:
    try:
        lcm_lora = lora.find(settings.generator_lcm_lora)
    except StartError:
        lcm_lora = None  # _preset says so
    options = Options(settings.generator_device, lcm_lora, previews="0")
    executor = InProcessExecutor(settings.generator_model, options)
    try:
        info = await executor.load()
    except StartError as error:
        return [failed("loading", str(error), _FETCH)]
    finally:
        await executor.close()
    summary = f"{info.name} loads; its own size is {info.width} x {info.height}."
    unfit = [_without_fast(settings, why, _NAME_FAST) for why in info.unavailable.values()]
    return [ok("loading", summary), *unfit]


async def _preset(settings: GeneratorSettings) -> list[Finding]:
    """Whether the preset fast has its weights; whether they fit shows when the model is loaded."""
    location = settings.generator_lcm_lora
    try:
        file = lora.find(location)
    except StartError as error:
        return [failed("preset", str(error), _NAME_FAST)]
    if file is None:
        summary = f"The preset fast lacks its weights: {location} is not on this machine."
        return [_without_fast(settings, summary, _FETCH_FAST)]
    try:
        await asyncio.to_thread(layout.count_numbers, [file])
    except Exception as error:  # noqa: BLE001, as in _model
        summary = f"The preset fast lacks its weights: {file} is broken: {error}."
        return [_without_fast(settings, summary, _NAME_FAST)]
    summary = f"The weights of the preset fast are here ({checks.size(file.stat().st_size)})."
    return [ok("preset", summary)]


def _without_fast(settings: GeneratorSettings, summary: str, remedy: str) -> Finding:
    """A failure only if it is the default, as nothing starts then; else it is just not offered."""
    if settings.generator_preset == FAST:
        return failed("preset", f"GENERATOR_PRESET fast cannot be used. {summary}", remedy)
    return ok("preset", summary, remedy)


if __name__ == "__main__":
    checks.run(
        "generator",
        GeneratorSettings,
        {
            "port": _port,
            "database": _database,
            "pictures": _pictures,
            "model": _model,
            "preset": _preset,
        },
    )
