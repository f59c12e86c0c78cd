"""The health check of a container: whether what it was started as does its work.

    python -m lookalike.cli.healthcheck [ROLE]

Without ROLE it is told by the container's first process, be that an init of the engine's. What is
asked are the services' own checks (docs/running.md, "Health checks"). Exits with 1 if one is not
well.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lookalike.cli import given
from lookalike.cli.up.health import ask_grpc, ask_http, is_alive

SERVICES: Final = {
    "bot": ("BOT_LISTEN", "127.0.0.1:5003", ask_http),
    "dbservice": ("DBSERVICE_LISTEN", "127.0.0.1:5002", ask_grpc),
    "generator": ("GENERATOR_LISTEN", "127.0.0.1:5001", ask_http),
    "sandbox": ("SANDBOX_LISTEN", "127.0.0.1:5000", ask_http),
}
"""Which setting says where each listens, what it is by default, and how it is asked."""

ROLES: Final = {
    "up": ("bot", "dbservice", "generator"),
    "demo": ("sandbox",),  # the others take any port
    **{name: (name,) for name in SERVICES},
}
"""The services of each role."""


def role_of(command: Sequence[str]) -> str | None:
    """What a command line starts, such as `python -m bot` or `tini -- lookalike up`."""
    return next((word for word in command if word in ROLES), None)


async def main(role: str | None) -> int:
    """Gives the exit code; without a role, such as while a model is downloaded, all is well."""
    asked, settings = [], given.given()
    for name in ROLES[role] if role else ():
        setting, default, ask = SERVICES[name]
        asked.append(is_alive(ask, settings.get(setting, default)))
    return 0 if all(await asyncio.gather(*asked)) else 1


if __name__ == "__main__":
    first = Path("/proc/1/cmdline").read_text(encoding="utf-8", errors="replace").split("\0")
    sys.exit(asyncio.run(main(role_of(sys.argv[1:] or first))))
