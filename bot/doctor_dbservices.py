"""Each dbservice of several, for `lookalike doctor`: whether it answers, and its version."""

import asyncio
from collections.abc import Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lookalike import __version__
from lookalike.checks import VERSION_HEADER, Finding, ok, warning
from lookalike.proxies import NO_GRPC_PROXY

_SECONDS = 3.0


async def check(addresses: Sequence[str]) -> list[Finding]:
    """Whether all answer and are as new as the bot; says nothing of one that is so.

    Args:
        addresses: `host:port` of each.
    """
    versions = dict(zip(addresses, await asyncio.gather(*map(_version, addresses)), strict=True))
    silent = [address for address, version in versions.items() if version is None]
    others = [
        f"{address} ({version or 'an older one'})"
        for address, version in versions.items()
        if version not in {None, __version__}
    ]
    found = []
    if silent:
        summary = f"{len(silent)} of {len(addresses)} dbservices do not answer: "
        fix = "Start them, or take them out of DBSERVICE_ADDRESS."
        found.append(warning("dbservices", f"{summary}{', '.join(silent)}.", fix))
    if others:
        summary = f"The bot is of version {__version__}, and not so is dbservice at "
        fix = "Stop everything, upgrade all of it, and start again."
        found.append(warning("dbservices", f"{summary}{', '.join(others)}.", fix))
    if not found and len(addresses) > 1:
        summary = f"All {len(addresses)} dbservices answer, and are of version {__version__}."
        found.append(ok("dbservices", summary))
    return found


async def _version(address: str) -> str | None:
    """What it says of itself; "": nothing; None: it does not answer."""
    async with grpc.aio.insecure_channel(address, options=[NO_GRPC_PROXY]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # set when it is made
        call = check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
        try:
            await call
            headers = await call.initial_metadata()
        except grpc.aio.AioRpcError:
            return None
    found = dict(headers or ()).get(VERSION_HEADER, "")
    return found if isinstance(found, str) else ""
