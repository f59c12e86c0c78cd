"""Tells systemd's watchdog that all services get on, should systemd wait for that."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable
from typing import Final, NoReturn

SECONDS: Final = 10.0
SOCKET: Final = "NOTIFY_SOCKET"
"""The variable with the address at which systemd listens."""


async def feed(get_on: Callable[[], bool]) -> NoReturn:
    """Tells it every few seconds for as long as all get on.

    Args:
        get_on: whether every service works, or is being brought back.
    """
    address = os.environ.pop(SOCKET, "")  # it is not the services' business
    while True:
        if get_on():
            tell(address)
        await asyncio.sleep(SECONDS)


def tell(address: str) -> None:
    """Sends WATCHDOG=1, the protocol of sd_notify(3).

    Args:
        address: what `SOCKET` has; "": nobody listens.
    """
    if address.startswith("@"):  # a name in the abstract namespace
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),  # whoever does not listen needs no word
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender,
    ):
        sender.sendto(b"WATCHDOG=1", address)
