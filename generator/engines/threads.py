"""Sets how many threads compute: as many as there are cores for, and no more."""

import math
import os
from pathlib import Path

import torch

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def limit(*, small: bool) -> None:
    """Starts no more threads than can run at once; more would wait for one another.

    PyTorch itself counts the machine's cores, not those that a container or a service may use.

    Args:
        small: whether the model is a small one. Its operations are too short to be shared: 20 steps
            of a UNet of 1 million parameters take 0.6 s on one thread, 0.9 s on two, and on a busy
            machine with four threads, which wait for one another, up to 40 s.
    """
    cores = 1 if small else min(torch.get_num_threads(), _affinity(), _quota())
    if cores != torch.get_num_threads():
        torch.set_num_threads(cores)


def _affinity() -> int:
    """Cores that this process may run on."""
    if not hasattr(os, "sched_getaffinity"):  # macOS, Windows
        return os.cpu_count() or 1
    return len(os.sched_getaffinity(0))


def _quota() -> int:
    """Cores' worth of time that this process's control groups give it.

    Source: the kernel's cgroup v2 document, cpu.max, which binds all groups below it.
    """
    try:
        lines = _OWN_CGROUP.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError):
        return torch.get_num_threads()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    folder = _CGROUPS / own
    cores = [_cores(parent / "cpu.max") for parent in (folder, *folder.parents)]
    return min(cores, default=torch.get_num_threads())


def _cores(file: Path) -> int:
    try:
        quota, period = file.read_text(encoding="ascii").split()
        return max(1, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # there is no such limit, or it is "max"
        return torch.get_num_threads()
