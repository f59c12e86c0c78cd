"""The sandbox's settings."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from lookalike.settings import LOOPBACK_HOSTS, ListenAddress, Secret, Settings

_TOKEN = re.compile(r"[0-9]{1,15}:[A-Za-z0-9_-]{24,}")


def _check_token(value: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError(
            "write it as Telegram does: the bot's number, a colon, 24 characters or more"
        )
    return value


def _check_loopback(value: str) -> str:
    if value.rpartition(":")[0].strip("[]") not in LOOPBACK_HOSTS:
        raise ValueError("the sandbox serves this machine only; use 127.0.0.1")
    return value


class SandboxSettings(Settings):
    """All settings of the sandbox.

    Attributes:
        sandbox_listen: where it serves; loopback only, since whoever reaches it can play anybody.
        sandbox_ports: how many ports to try from that one up, if it is taken.
        sandbox_note: a sentence that the chat page shows over every chat.
        telegram_bot_token: the only token it accepts.
    """

    sandbox_listen: Annotated[ListenAddress, AfterValidator(_check_loopback)] = "127.0.0.1:5000"
    sandbox_ports: Annotated[int, Field(ge=1, le=1000)] = 1
    sandbox_note: Annotated[str, Field(max_length=300)] = ""
    telegram_bot_token: Annotated[Secret, AfterValidator(_check_token)]
