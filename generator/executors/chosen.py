"""The executor that the settings choose, and which presets it lacks."""

import importlib.util
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from generator.diffusion.options import Options
from generator.executors.base import Executor
from generator.executors.inprocess import InProcessExecutor, quieten
from generator.models import lora
from generator.observers import Observer
from generator.presets import FAST
from generator.settings import GeneratorSettings
from lookalike.errors import StartError

if TYPE_CHECKING:
    from generator.executors.ray import RayExecutor

_log = logging.getLogger(__name__)


def executor(settings: GeneratorSettings, observers: Sequence[Observer] = ()) -> Executor:
    """The executor of the settings; it has not loaded anything.

    Args:
        settings: what the generator is told.
        observers: are told when an executor elsewhere is away.

    Raises:
        StartError: it cannot be used.
    """
    if settings.generator_executor == "inprocess":
        return in_process(settings)
    return elsewhere(settings, observers)


def elsewhere(settings: GeneratorSettings, observers: Sequence[Observer] = ()) -> "RayExecutor":
    """The executor that asks Ray Serve.

    Raises:
        StartError: a setting or a package is missing.
    """
    url = ray_url(settings)
    from generator.executors.ray import RayExecutor

    return RayExecutor(url, settings.bearer_token, observers)


def ray_url(settings: GeneratorSettings) -> str:
    """Where Ray Serve is.

    Raises:
        StartError: that is not set, or a package is missing.
    """
    if settings.generator_ray_url is None:
        raise StartError(
            "GENERATOR_EXECUTOR=ray needs GENERATOR_RAY_URL: where the HTTP proxy of Ray Serve is,"
            " such as http://127.0.0.1:8000."
        )
    if importlib.util.find_spec("aiohttp") is None:
        raise StartError(
            "GENERATOR_EXECUTOR=ray needs the package aiohttp: pip install 'lookalike[dispatcher]',"
            " or aiohttp alone."
        )
    return settings.generator_ray_url


def in_process(settings: GeneratorSettings) -> InProcessExecutor:
    """The executor that computes in this process.

    Raises:
        StartError: a setting cannot be used.
    """
    quieten()
    model = settings.model_now()
    if model != settings.generator_model:
        _log.warning(
            "%s paints, as %s is not on this machine yet; the first start after its download "
            "takes it over.",
            model,
            settings.generator_model,
        )
    lcm_lora = lora.find(settings.generator_lcm_lora)
    options = Options(settings.generator_device, lcm_lora, settings.generator_previews)
    return InProcessExecutor(model, options)


def unavailable(settings: GeneratorSettings) -> dict[str, str]:
    """Presets that cannot be computed in this process: why, in a sentence each, by name.

    Whether their weights fit the model shows when that is loaded.

    Raises:
        StartError: a setting cannot be used.
    """
    quieten()
    if lora.find(settings.generator_lcm_lora) is not None:
        return {}
    reason = (
        f"The preset fast needs the weights {settings.generator_lcm_lora}, which are not on this"
        " machine."
    )
    return {FAST: reason}
