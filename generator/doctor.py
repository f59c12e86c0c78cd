"""`python -m generator.doctor`: the generator's own checks for `lookalike doctor`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from generator import doctor_ray, models
from generator.diffusion import memory
from generator.diffusion.options import Options
from generator.executors.inprocess import InProcessExecutor
from generator.models import ModelFormat, Source, layout, lora, missing
from generator.presets import FAST
from generator.settings import GeneratorSettings
from lookalike import checks, integrity, storage
from lookalike.checks import Finding, Mark, failed, ok, warning
from lookalike.errors import StartError
from lookalike.sqlite import path_of
from protos import GENERATOR_NAMESPACE

_LIBRARIES = 500_000_000
_ACTIVATIONS = {"cpu": 0.75, "cuda": 0.4}
"""What a run at the model's own size takes besides the weights: bytes, and a share of the weights.

Estimates, rounded up. On a CPU some weights are kept as sums, which are more of them.
"""

_FETCH = "Name another GENERATOR_MODEL, or `emoji`, or fetch it again."
_FETCH_FAST = "Fetch them: `lookalike download --fast`."
_NAME_FAST = "Name others in GENERATOR_LCM_LORA, or leave it out and `lookalike download --fast`."


class _Settings(GeneratorSettings):
    """The generator's, and what is looked up of the bot's.

    Attributes:
        bot_access: whom the bot is for.
        bot_notice: the answer to /terms.
    """

    bot_access: str | None = None
    bot_notice: str = ""


async def _port(settings: GeneratorSettings) -> list[Finding]:
    listen = settings.generator_listen
    ours = await asyncio.to_thread(_answers, listen)
    return [await asyncio.to_thread(checks.port, "GENERATOR_LISTEN", listen, ours=ours)]


def _answers(listen: str) -> bool:
    """Whether a generator listens there."""
    return GENERATOR_NAMESPACE in checks.get(listen, "/v1/schema.xsd")[1]


async def _database(settings: GeneratorSettings) -> list[Finding]:
    url = settings.database_url
    if url.startswith("sqlite:"):
        return [await asyncio.to_thread(integrity.database, path_of(url))]
    return [await asyncio.to_thread(integrity.server, url, "GENERATOR_DATABASE_URL")]


async def _generators(settings: GeneratorSettings) -> list[Finding]:
    """How many generators work on the queue; nothing if none does."""
    asked = "SELECT count(*) FROM holders WHERE alive_until > :now"
    url = settings.database_url
    found = await asyncio.to_thread(integrity.count, url, asked, now=time.time())
    if not found:
        return []
    which = "generator works" if found == 1 else "generators work"
    return [ok("generators", f"{found} {which} on the queue, or did a minute ago.")]


async def _pictures(settings: GeneratorSettings) -> list[Finding]:
    return await storage.check("pictures", settings.results, settings)


async def _model(settings: GeneratorSettings) -> list[Finding]:
    """Whether the model is here, fits this machine and loads; a running generator has loaded it."""
    found = _missing(settings)
    if any(each.mark is Mark.FAILED for each in found):
        return found
    half = await asyncio.to_thread(_takes_half, settings.generator_device)
    try:
        source = models.find(settings.model_now())
        folder, files = _files(source, half=half)
    except StartError as error:
        return [*found, failed("model", str(error), _FETCH)]
    try:
        count = await asyncio.to_thread(layout.count_numbers, files)
    except Exception as error:  # noqa: BLE001, a damaged file raises what its library likes
        summary = f"GENERATOR_MODEL {source.location} has a broken file: {error}."
        return [*found, failed("model", summary, _FETCH)]
    kept = checks.size(sum(file.stat().st_size for file in files))
    licence = layout.licence(folder, source.location)
    summary = (
        f"{source.name} is here ({kept}), under {licence or 'a licence that is not known here'}."
    )
    found.append(_present(summary, licence))
    listen = settings.generator_listen
    if await asyncio.to_thread(_answers, listen):
        ready = (await asyncio.to_thread(checks.get, listen, "/health/ready"))[0] == 200  # noqa: PLR2004
        said = "has loaded" if ready else "is loading"
        summary = f"A generator runs and {said} the model that it was started with."
        return [*found, ok("memory", summary)]
    room = _memory(count, settings.generator_device, half=half)
    if room.mark is Mark.FAILED:
        return [*found, room]
    return [*found, room, *await _load(settings)]


async def _start(settings: GeneratorSettings) -> list[Finding]:
    """Whether the model and the preset can be there; quickly, as nothing is loaded."""
    if settings.generator_executor == "ray":
        return doctor_ray.start(settings)
    found = _missing(settings)
    try:
        source = models.find(settings.model_now())
        if not found and source.format is not ModelFormat.FILE:
            _files(source, half=False)
    except StartError as error:
        found.append(failed("model", str(error), _FETCH))
    return [*found, *await _preset(settings)]


def _missing(settings: GeneratorSettings) -> list[Finding]:
    """A finding if the model has to be fetched."""
    model = settings.generator_model
    if not missing.is_missing(model):
        return []
    summary = f"GENERATOR_MODEL {model} is not on this machine."
    remedy = "Fetch it: `lookalike download`."
    if not settings.generator_meanwhile:
        return [failed(checks.MODEL_MISSING, summary, remedy)]
    summary = f"{summary} Meanwhile {settings.generator_meanwhile} paints."
    return [warning(checks.MODEL_MISSING, summary, f"{remedy} The next start takes it over.")]


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


async def _terms(settings: _Settings) -> list[Finding]:
    """Whether those who use the bot can read the conditions that the model's licence sets them."""
    if settings.bot_notice or settings.bot_access == "me":
        return []
    try:
        source = models.find(settings.model_now())
        folder, _ = _files(source, half=False)
    except StartError:
        return []  # _model says so
    if layout.licence(folder, source.location) not in {layout.OPENRAIL, layout.OPENRAIL_PLUS}:
        return []
    summary = f"BOT_NOTICE is empty, so /terms does not say what {source.name}'s licence asks."
    remedy = "Write it there, as `lookalike init` does for Stable Diffusion 1.5; docs/models.md."
    return [warning("terms", summary, remedy)]


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
    executor = InProcessExecutor(settings.model_now(), options)
    try:
        info = await executor.load()
    except StartError as error:
        return [failed("loading", str(error), _FETCH)]
    finally:
        await executor.close()
    summary = f"{info.name} loads; its own size is {info.width} x {info.height}."
    found = [ok("loading", summary)]
    if settings.generator_preset == FAST:
        found += [_without_fast(why, _NAME_FAST) for why in info.unavailable.values()]
    return found


async def _preset(settings: GeneratorSettings) -> list[Finding]:
    """Whether the preset fast, if it is the default, has its weights, and whether they are whole.

    Whether they fit shows when the model is loaded.
    """
    location = settings.generator_lcm_lora
    try:
        file = lora.find(location)
    except StartError as error:
        return [failed("preset", str(error), _NAME_FAST)]
    if settings.generator_preset != FAST:
        return []
    if file is None:
        return [_without_fast(f"Its weights, {location}, are not on this machine.", _FETCH_FAST)]
    try:
        await asyncio.to_thread(layout.count_numbers, [file])
    except Exception as error:  # noqa: BLE001, as in _model
        return [_without_fast(f"Of its weights {file} is broken: {error}.", _NAME_FAST)]
    summary = f"The weights of the preset fast are here ({checks.size(file.stat().st_size)})."
    return [ok("preset", summary)]


def _without_fast(why: str, remedy: str) -> Finding:
    return failed("preset", f"GENERATOR_PRESET fast cannot be used. {why}", remedy)


def _computes_here(
    check: Callable[[_Settings], Awaitable[list[Finding]]],
) -> Callable[[_Settings], Awaitable[list[Finding]]]:
    """A check of what is on this machine, left out where others compute."""

    async def checked(settings: _Settings) -> list[Finding]:
        return await check(settings) if settings.generator_executor == "inprocess" else []

    return checked


async def _ray(settings: GeneratorSettings) -> list[Finding]:
    return await doctor_ray.look(settings) if settings.generator_executor == "ray" else []


if __name__ == "__main__":
    checks.run(
        "generator",
        _Settings,
        {
            "port": _port,
            "database": _database,
            "generators": _generators,
            "pictures": _pictures,
            "ray": _ray,
            "model": _computes_here(_model),
            "terms": _computes_here(_terms),
            "preset": _computes_here(_preset),
        },
        start={"start": _start},
    )
