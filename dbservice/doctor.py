"""`python -m dbservice.doctor`: dbservice's own checks for `lookalike doctor`."""

import asyncio

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from dbservice.settings import DbserviceSettings
from lookalike import checks, integrity, storage
from lookalike.checks import Finding
from lookalike.proxies import NO_GRPC_PROXY
from lookalike.settings import folder_of
from lookalike.sqlite import path_of

_SECONDS = 3.0


async def _port(settings: DbserviceSettings) -> list[Finding]:
    async with grpc.aio.insecure_channel(
        settings.dbservice_listen, options=[NO_GRPC_PROXY]
    ) as channel:
        try:
            check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # set when it is made
            await check(health_pb2.HealthCheckRequest(), timeout=_SECONDS)
            ours = True
        except grpc.aio.AioRpcError:
            ours = False
    listen = settings.dbservice_listen
    return [await asyncio.to_thread(checks.port, "DBSERVICE_LISTEN", listen, ours=ours)]


async def _database(settings: DbserviceSettings) -> list[Finding]:
    url = settings.database
    if url.startswith("sqlite:"):
        return [await asyncio.to_thread(integrity.database, path_of(url))]
    return [await asyncio.to_thread(integrity.server, url, "DATABASE_URL")]


async def _photos(settings: DbserviceSettings) -> list[Finding]:
    return await storage.check("photos", settings.blobs, settings)


async def _start(settings: DbserviceSettings) -> list[Finding]:
    """What is elsewhere, before anything starts; what is on this machine tells of itself soon."""
    found = []
    if not settings.database.startswith("sqlite:"):
        found += await _database(settings)
    if folder_of(settings.blobs) is None:
        found += await _photos(settings)
    return found


if __name__ == "__main__":
    checks.run(
        "dbservice",
        DbserviceSettings,
        {"port": _port, "database": _database, "photos": _photos},
        start={"start": _start},
    )
