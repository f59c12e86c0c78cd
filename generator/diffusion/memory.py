"""How much memory is free for the next computation."""

from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    import torch

_LIMIT = Path("/sys/fs/cgroup/memory.max")
_USED = Path("/sys/fs/cgroup/memory.current")
_STATISTICS = Path("/sys/fs/cgroup/memory.stat")


def free(device: "torch.device") -> int:
    """Bytes that are free where the device computes."""
    if device.type == "cuda":
        return _free_on_cuda(device)
    available = int(psutil.virtual_memory().available)
    try:  # a container's own limit (the kernel's cgroup v2 document)
        limit, used = (int(file.read_text("ascii")) for file in (_LIMIT, _USED))
        statistics = dict(line.split() for line in _STATISTICS.read_text("ascii").splitlines())
        cached = int(statistics["inactive_file"])  # of files that were read; given back when needed
    except (OSError, ValueError, KeyError):
        return available
    return min(available, limit - used + cached)


def _free_on_cuda(device: "torch.device") -> int:
    """What nobody uses, and what PyTorch holds on to between two computations."""
    import torch

    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + kept
