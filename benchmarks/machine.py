"""The machine that is measured: what it is, and whether there is room."""

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from benchmarks.rows import OPENVINO, OURS, REPORT
from generator.diffusion import memory
from generator.models import layout
from lookalike.errors import StartError

_CPUINFO = Path("/proc/cpuinfo")
_PACKAGES = ("torch", "diffusers", "openvino-genai")

_SHARE = {REPORT: 1.5, OPENVINO: 1.2, OURS: 1.7}
"""What a system takes at most, as a multiple of the weights in full precision. Ours has a second
UNet for `fast`, and batches."""


def describe() -> dict[str, str]:
    """What is known of the machine and the software, by what it is."""
    cores = len(os.sched_getaffinity(0))
    about = {
        "processor": _processor(),
        "cores": str(cores),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "memory": f"{memory.free(torch.device('cpu')) / 2**30:.0f} GiB free",
        "Python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            about[package] = version(package)
        except PackageNotFoundError:
            about[package] = "not installed, so it is left out"
    return about


def check_memory(model: Path, systems: Iterable[str]) -> None:
    """Makes sure that all systems fit beside one another: what swaps is not measured.

    Args:
        model: a folder in diffusers layout.
        systems: by name.

    Raises:
        StartError: they do not.
    """
    weights = sum(file.stat().st_size for file in layout.weights(model, half=False))
    wanted = weights * sum(_SHARE[name] for name in systems) / 2**30
    free = memory.free(torch.device("cpu")) / 2**30
    if free < wanted:
        raise StartError(
            f"The systems take {wanted:.1f} GiB of memory together, and {free:.1f} GiB are free:"
            f" {wanted - free:.1f} GiB are missing."
        )


def _processor() -> str:
    """Its name, and which matrix instructions in bf16 it has."""
    try:
        lines = _CPUINFO.read_text("ascii", "replace").splitlines()
    except OSError:
        return platform.processor()
    known = {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    flags = set(known.get("flags", "").split())
    bf16 = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags]
    return f"{known.get('model name', platform.machine())} ({', '.join(bf16) or 'no bf16'})"
