"""Trains the small model: `python -m training`.

It fetches the art, trains the autoencoder, encodes the art as latents, trains the UNet and the text
encoder together, and writes the model. An interrupted run resumes where it stopped.
"""

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import torch

from training import distributed, fetch, make
from training.profiles import PROFILES

_SEED: Final = 20_261_122


def main() -> None:
    """Runs all stages."""
    parser = _parser()
    options = parser.parse_args()
    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and (options.processes or 1) > 1:
        parser.error("on a GPU there is one process")
    stages = ("autoencoder_steps", "diffusion_steps", "decoder_steps")
    changes: dict[str, Any] = {
        name: getattr(options, name)
        for name in (*stages, "processes")
        if getattr(options, name) is not None
    }
    if options.export:
        changes |= dict.fromkeys(stages, 0)
    profile = replace(PROFILES[device], **changes)
    options.work.mkdir(parents=True, exist_ok=True)
    # Without it CUDA's matrix products differ from run to run; it is read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    fetch.fetch(options.work)
    distributed.run(profile.processes, make.run, profile, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=(__doc__ or ""))
    parser.add_argument("--work", type=Path, default=fetch.WORK, help="checkpoints, log, sheets")
    parser.add_argument("--out", type=Path, help="where the model goes; default: WORK/model")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument(
        "--device",
        choices=("auto", *PROFILES),
        default="auto",
        help="on a GPU the model is larger; auto: a GPU if there is one",
    )
    parser.add_argument("--autoencoder-steps", type=int, help="default: the device's")
    parser.add_argument("--diffusion-steps", type=int, help="default: the device's")
    parser.add_argument("--decoder-steps", type=int, help="default: the device's")
    parser.add_argument("--every", type=int, default=250, help="steps between two checkpoints")
    parser.add_argument(
        "--processes",
        type=int,
        choices=(1, 2, 3, 4, 6),
        help="on a CPU, one core each; default: 2; on a GPU: 1",
    )
    parser.add_argument("--export", action="store_true", help="write the model as it is, and stop")
    return parser


if __name__ == "__main__":
    main()
