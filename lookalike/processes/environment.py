"""The environment variables that a child process gets."""

import os
import re

MALLOC_TUNABLES = {
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0"
}
"""For a process that takes large blocks of memory again and again: pages of 2 MiB; one arena, since
those of threads give large blocks back to the system; and no caches, since these hold on to what is
left beside an aligned block, which is then too small for what it was taken for.

Source: the GNU C Library's manual, Memory Allocation Tunables. Other C libraries do not read it."""

_OURS = re.compile(
    r"(LOOKALIKE|TELEGRAM|CAPTIONER|AZURE_VISION|BOT|DBSERVICE|DATABASE_URL|BLOB_URL|GENERATOR|AWS|"
    r"SANDBOX|SERVICE_TOKEN|USER_MAX|USER_DAILY|MAX_MEGABYTES|MOVE|RETENTION)(_|$)"
)


def clean_environment() -> dict[str, str]:
    """This process's environment without any of Lookalike's settings."""
    return {key: value for key, value in os.environ.items() if not _OURS.match(key)}
