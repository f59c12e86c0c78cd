"""Tells systemd's watchdog that all services get on, should systemd wait for that."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import NoReturn

SECONDS = 10.0
_SOCKET = "NOTIFY_SOCKET"


async def feed(get_on: Callable[[], bool]) -> NoReturn:
    """Sends WATCHDOG=1 every few seconds for as long as all get on.

    The protocol is that of sd_notify(3).

    Args:
        get_on: whether every service works, or is being brought back.
    """
    address = os.environ.pop(_SOCKET, "")  # it is not the services' business
    while True:
        if address and get_on():
            _send(address, b"WATCHDOG=1")
        await asyncio.sleep(SECONDS)


def _send(address: str, message: bytes) -> None:
    if address.startswith("@"):  # a name in the abstract namespace
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),  # whoever does not listen needs no word
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(message, address)
