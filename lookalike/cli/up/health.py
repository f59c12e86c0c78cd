"""Asks a service whether it does its work, which is more than whether it runs."""

import asyncio
import functools
import http
from collections.abc import Awaitable, Callable

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lookalike.proxies import NO_GRPC_PROXY

ANSWER_SECONDS = 8.0
"""How long an answer may take, on a machine that has much to do."""

Question = Callable[[str, int], Awaitable[bool]]
"""Given host and port: whether the service there is well. It may take its time, and raises OSError
or ValueError where there is no answer."""


async def is_alive(ask: Question, address: str) -> bool:
    """Whether a service answers in time, and that it is well.

    Args:
        ask: how it is asked.
        address: where it listens, as host:port.
    """
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))  # noqa: S104, read only
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await ask(host, int(port))
    except (OSError, ValueError):  # a TimeoutError is an OSError
        return False


async def is_ready(address: str) -> bool:
    """Whether a service that serves HTTP says that it is ready: its model is loaded, say."""
    return await is_alive(functools.partial(_get, "/health/ready"), address)


async def ask_http(host: str, port: int) -> bool:
    """Asks /health/live."""
    return await _get("/health/live", host, port)


async def _get(path: str, host: str, port: int) -> bool:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        status = (await reader.readline()).split()
        return len(status) > 1 and int(status[1]) == http.HTTPStatus.OK
    finally:
        writer.transport.abort()


async def ask_grpc(host: str, port: int) -> bool:
    """Asks the standard health service (grpc.io, Health Checking)."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    async with grpc.aio.insecure_channel(address, options=[NO_GRPC_PROXY]) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]  # set when it is made
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise ConnectionError(error.code().name) from error
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
