"""Makes the small model: `python -m training`.

It fetches the art, trains the autoencoder, turns the art into latents, trains the UNet and the text
encoder together, and writes the model. Whatever was interrupted goes on where it stood.
"""

import argparse
from pathlib import Path
from typing import Final

from training import fetch, make, team

_SEED: Final = 20_261_122


def main() -> None:
    """Runs all stages."""
    parser = argparse.ArgumentParser(prog="python -m training", description=(__doc__ or ""))
    parser.add_argument("--work", type=Path, default=fetch.WORK, help="checkpoints, log, sheets")
    parser.add_argument("--out", type=Path, help="where the model goes; default: WORK/model")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--autoencoder-steps", type=int, default=3_100)
    parser.add_argument("--diffusion-steps", type=int, default=4_700)
    parser.add_argument("--decoder-steps", type=int, default=2_250)
    parser.add_argument("--every", type=int, default=250, help="steps between two checkpoints")
    parser.add_argument("--processes", type=int, default=2, help="1, 2, 3, 4 or 6, one core each")
    parser.add_argument("--export", action="store_true", help="write what was reached, and stop")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    fetch.fetch(options.work)
    team.run(options.processes, make.run, options)


if __name__ == "__main__":
    main()
