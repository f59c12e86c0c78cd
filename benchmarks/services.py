"""Measures the real processes: start, memory, uploads, the idle tick.

Figures are medians of this run on this machine; nothing is asserted.
"""

import asyncio
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
import psutil

from lookalike.processes import ServiceProcess
from lookalike.processes.stack import Stack
from lookalike.tokens import service_token
from protos.lookalike.db.v1 import db_pb2 as db
from protos.lookalike.db.v1.db_pb2_grpc import DatabaseServiceStub

_BOT = 10001
_PHOTO_BYTES = 5_000_000
_CHUNK = 256 * 1024
_ROUNDS = 20
_TICKS_SECONDS = 5.0
_POLL_SECONDS = 0.5


def _starts(stack: Stack, name: str, count: int) -> list[float]:
    """Starts a service so many times, and stops it; gives the seconds until it listened."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        stack.start(name)
        found.append(time.perf_counter() - began)
        stack.stop(name)
    return found


def _memory(process: ServiceProcess) -> float:
    """Resident memory in MiB."""
    return float(psutil.Process(process.popen.pid).memory_info().rss) / 2**20


async def _add_photos(address: str, token: str) -> list[float]:
    """Seconds for each `StorePhoto` of 5 MB."""
    data = os.urandom(_PHOTO_BYTES)
    metadata = (("authorization", f"Bearer {token}"),)
    seconds = []
    async with grpc.aio.insecure_channel(address) as channel:
        stub = DatabaseServiceStub(channel)
        for number in range(1, _ROUNDS + 1):
            await stub.ReceivePhoto(
                db.ReceivePhotoRequest(
                    bot_id=_BOT, chat_id=1, message_id=number, user_id=number, file_id="x"
                ),
                metadata=metadata,
                timeout=10,
            )
        leases = await stub.LeaseGenerations(
            db.LeaseGenerationsRequest(bot_id=_BOT, holder="benchmark"),
            metadata=metadata,
            timeout=10,
        )
        for lease in leases.leases:
            image = db.ImageInfo(
                media_type="image/jpeg",
                width=1000,
                height=1000,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
            )
            info = db.StorePhotoRequest.Info(
                generation_id=lease.item.generation.id, fence=lease.fence, image=image
            )
            parts = [db.StorePhotoRequest(info=info)]
            parts += [
                db.StorePhotoRequest(chunk=data[start : start + _CHUNK])
                for start in range(0, len(data), _CHUNK)
            ]
            began = time.perf_counter()
            await stub.StorePhoto(iter(parts), metadata=metadata, timeout=10)
            seconds.append(time.perf_counter() - began)
    return seconds


def _empty_ticks(bot: ServiceProcess) -> float:
    """How much of a core, in percent, the idle bot takes while it ticks."""
    process = psutil.Process(bot.popen.pid)
    before = process.cpu_times()
    time.sleep(_TICKS_SECONDS)
    after = process.cpu_times()
    busy = after.user + after.system - before.user - before.system
    return float(100 * busy / _TICKS_SECONDS)


def measure(starts: int) -> list[tuple[str, str, str]]:
    """Measures all.

    Args:
        starts: of each service.

    Returns:
        What was measured, how much it is, and the bar, if there is one.
    """
    imports = [_time_command([sys.executable, "-c", "import bot.app"]) for _ in range(starts)]
    settings = {
        "TELEGRAM_BOT_TOKEN": f"{_BOT}:a-token-of-the-sandbox-alone",
        "CAPTIONER": "offline",
        "BOT_POLL_SECONDS": str(_POLL_SECONDS),
    }
    with tempfile.TemporaryDirectory() as name, Stack(Path(name), settings) as stack:
        dbservice_starts = _starts(stack, "dbservice", starts)
        stack.start("dbservice", "sandbox")
        bot_starts = _starts(stack, "bot", starts)
        stack.start("bot")
        bot, dbservice = stack.process("bot"), stack.process("dbservice")
        ticking = _empty_ticks(bot)
        bot_memory, dbservice_memory = _memory(bot), _memory(dbservice)
        stack.stop("bot")
        adds = asyncio.run(_add_photos(stack.address("dbservice"), service_token(stack.home)))
        median = statistics.median
        return [
            ("dbservice: start to listening", f"{median(dbservice_starts):.2f} s", "2 s"),
            ("bot: start to listening", f"{median(bot_starts):.2f} s", "2 s"),
            ("bot: of which imports", f"{median(imports):.2f} s", ""),
            ("dbservice: memory, idle", f"{dbservice_memory:.0f} MiB", "150 MiB"),
            ("bot: memory, idle", f"{bot_memory:.0f} MiB", "150 MiB"),
            (f"bot: CPU with an empty tick each {_POLL_SECONDS} s", f"{ticking:.1f} %", ""),
            ("dbservice: a photo of 5 MB added, median", f"{1000 * median(adds):.0f} ms", "50 ms"),
            ("dbservice: a photo of 5 MB added, slowest", f"{1000 * max(adds):.0f} ms", ""),
        ]


def _time_command(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began
