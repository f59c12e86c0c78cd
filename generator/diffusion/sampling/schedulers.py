"""The diffusers scheduler of each solver; as they keep state, every picture gets a new one."""

import math
from typing import Any

import torch
from diffusers import DPMSolverMultistepScheduler, LCMScheduler, PNDMScheduler

from generator.presets import Solver

_LCM_STEPS = 50
"""LCM-LoRA was trained on as many of the original steps (arXiv 2311.05556)."""


def create(solver: Solver, config: Any, steps: int, skipped: int = 0) -> Any:
    """A scheduler for one picture of so many steps.

    Args:
        solver: which one.
        config: of the model's own scheduler: the noise schedule is the model's.
        steps: of the task.
        skipped: the first ones, which are not computed; see `remaining`.
    """
    match solver:
        case Solver.PNDM:
            scheduler = PNDMScheduler.from_config(config, skip_prk_steps=True)
            scheduler.set_timesteps(steps)
        case Solver.DPM:
            scheduler = DPMSolverMultistepScheduler.from_config(
                config,
                algorithm_type="dpmsolver++",
                solver_order=2,
                solver_type="midpoint",
                use_karras_sigmas=True,
                lower_order_final=True,
                final_sigmas_type="zero",
            )
            scheduler.set_timesteps(steps)
            scheduler.set_begin_index(skipped)
        case Solver.LCM:
            scheduler = LCMScheduler.from_config(config)
            scheduler.set_timesteps(steps, original_inference_steps=max(steps, _LCM_STEPS))
            scheduler.set_begin_index(skipped)
    return scheduler


def remaining(scheduler: Any, skipped: int) -> torch.Tensor:
    """The timesteps after the first ones, as `get_timesteps` of diffusers' image to image has them.

    PNDM takes its second one twice, and so, where it is skipped, one pass more than is left.
    """
    return torch.as_tensor(scheduler.timesteps[skipped:])


def noisy(
    scheduler: Any, timestep: torch.Tensor, latents: torch.Tensor, noise: torch.Tensor
) -> torch.Tensor:
    """The latents of a picture, noise added as there is at the first timestep that is computed."""
    return torch.as_tensor(scheduler.add_noise(latents, noise, timestep[None]))


def draws_noise(scheduler: Any) -> bool:
    """Whether its steps add noise of their own, for which they need the generator."""
    return isinstance(scheduler, LCMScheduler)


def noise_level(scheduler: Any, timestep: torch.Tensor) -> float:
    """The standard deviation of the noise over that of the picture at a timestep."""
    kept = float(scheduler.alphas_cumprod[int(timestep)])
    return float(((1 - kept) / kept) ** 0.5)


def denoised(
    scheduler: Any, timestep: torch.Tensor, latents: torch.Tensor, predicted: torch.Tensor
) -> torch.Tensor:
    """The picture that the model sees in noisy latents, by what it predicts there."""
    kept = float(scheduler.alphas_cumprod[int(timestep)])
    signal, spread = math.sqrt(kept), math.sqrt(1 - kept)
    match scheduler.config.prediction_type:
        case "epsilon":
            return (latents - spread * predicted) / signal
        case "v_prediction":
            return signal * latents - spread * predicted
        case _:
            return predicted
