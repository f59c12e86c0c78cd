"""What a picture by Stable Diffusion 1.5 costs on a machine like this one, before one is painted.

The figures are those of docs/benchmarks.md (40 s a picture of `balanced`, on 4 cores that multiply
bfloat16) and docs/models.md; a processor that does not takes about twice as long.
"""

import os
from pathlib import Path

_CORE_SECONDS = 160.0
_PLAIN = 2.0
_MOST_CORES = 16
"""More have not been measured, and they do not help in proportion."""

_BFLOAT16 = ("amx_bf16", "avx512_bf16")


def stable_diffusion() -> str:
    """Seconds a picture, memory and download, in words."""
    half = _multiplies_bfloat16()
    memory, download = ("5.3 GB", "2.7 GB") if half else ("10 GB", "5.5 GB")
    if Path("/dev/nvidia0").exists():
        return "seconds a picture on the GPU, 4 GB of its memory, a download of 2.7 GB"
    cores = _cores()
    seconds = _CORE_SECONDS / min(cores, _MOST_CORES) * (1 if half else _PLAIN)
    took = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"  # noqa: PLR2004, as people say it
    where = f"on {cores} cores like these" if cores > 1 else "on one core like this"
    return f"about {took} a picture {where}, {memory} of memory, a download of {download}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _multiplies_bfloat16() -> bool:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:  # not Linux
        return False
    return any(name in text for name in _BFLOAT16)
