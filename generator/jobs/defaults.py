"""Fills in a request's defaults, from the presets that this service offers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from generator.jobs.errors import PresetUnavailable
from generator.jobs.messages import JobRequest
from generator.presets import BALANCED, PRESETS
from lookalike.errors import StartError


@dataclass(frozen=True)
class Choice:
    """What a request comes to, its defaults filled in.

    Attributes:
        preset: a name in `generator.presets`.
        steps: 1 to 150.
        guidance_scale: 0 to 30.
    """

    preset: str
    steps: int
    guidance_scale: float


@dataclass
class OfferedPresets:
    """The presets of this service.

    Attributes:
        default: the name of the one that a request without a preset gets.
        unavailable: why some cannot be used here, in a sentence each, by name.
    """

    default: str = BALANCED
    unavailable: dict[str, str] = field(default_factory=dict)

    def exclude(self, unavailable: Mapping[str, str]) -> None:
        """Stops offering presets.

        Args:
            unavailable: why, in a sentence each, by name.

        Raises:
            StartError: the default is one of them.
        """
        self.unavailable.update(unavailable)
        if (reason := unavailable.get(self.default)) is not None:
            raise StartError(f"GENERATOR_PRESET cannot be used. {reason}")

    def choose(self, request: JobRequest) -> Choice:
        """Fills in what a request leaves out.

        Raises:
            PresetUnavailable: its preset, or the default, cannot be used here.
        """
        name = request.preset or self.default
        if name in self.unavailable:
            raise PresetUnavailable(self.unavailable[name])
        preset, steps, guidance_scale = PRESETS[name], request.steps, request.guidance_scale
        return Choice(
            name,
            preset.steps if steps is None else steps,
            preset.guidance_scale if guidance_scale is None else guidance_scale,
        )
