"""The presets: how much work goes into a picture. This table is the only place that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Solver(Enum):
    """How the noise is taken away step by step."""

    PNDM = "pseudo linear multistep, arXiv 2202.09778"
    DPM = "DPM-Solver++ 2M on Karras' noise levels, arXiv 2211.01095 and 2206.00364"
    LCM = "consistency sampling, arXiv 2310.04378; needs weights that were trained for it"


@dataclass(frozen=True)
class Interval:
    """The noise levels that guidance is applied at; elsewhere a step costs half.

    Attributes:
        low: the standard deviation of the noise over that of the picture; excluded.
        high: likewise; included.
    """

    low: float
    high: float


@dataclass(frozen=True)
class Reuse:
    """Which part of the UNet is computed anew at every step.

    Attributes:
        interval: the whole UNet is computed at every so many steps; 1: always.
        layers: how many of its outermost layers are computed at the steps in between.
    """

    interval: int
    layers: int


@dataclass(frozen=True)
class Preset:
    """One way to compute a picture.

    Attributes:
        solver: of its steps.
        steps: unless the request says otherwise.
        guidance_scale: likewise; 1 or less is none.
        guided: where guidance is applied; None: everywhere.
        reuse: None: the whole UNet at every step.
    """

    solver: Solver
    steps: int
    guidance_scale: float
    guided: Interval | None = None
    reuse: Reuse | None = None


FAITHFUL, BALANCED, QUICK, FAST = "faithful", "balanced", "quick", "fast"

PRESETS: Mapping[str, Preset] = {
    # As Stable Diffusion 1.5 was published.
    FAITHFUL: Preset(Solver.PNDM, steps=50, guidance_scale=7.5),
    BALANCED: Preset(Solver.DPM, steps=20, guidance_scale=7.5),
    # The interval is the one that Kynkäänniemi et al. (arXiv 2404.07724) take for Stable Diffusion
    # XL, which has the same noise levels. In time, reuse at every second of 16 steps is what
    # DeepCache (Ma et al., arXiv 2312.00858) does with N = 6 of 50; they find N = 5 to cost
    # Stable Diffusion 1.5 0.05 of CLIP score.
    QUICK: Preset(
        Solver.DPM,
        steps=16,
        guidance_scale=7.5,
        guided=Interval(0.28, 5.42),
        reuse=Reuse(interval=2, layers=1),
    ),
    # Four steps without guidance are what LCM-LoRA (arXiv 2311.05556) was made for.
    FAST: Preset(Solver.LCM, steps=4, guidance_scale=1.0),
}
