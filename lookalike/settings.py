"""Settings, from the environment or, below it, from `.env` in the working directory.

Each service declares its own in its `settings.py`, as a subclass of `Settings`; a field's name in
capitals is the variable's name. `docs/settings.md` lists them all.
"""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Self, TypeVar
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from lookalike import logs
from lookalike.errors import StartError
from lookalike.tokens import known_service_token, service_token

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

_SHORTEST_TOKEN = 16

_S = TypeVar("_S", bound="Settings")


def _check_listen(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004
        raise ValueError("write it as host:port, such as 127.0.0.1:5001")
    return value


def _check_sqlite_url(value: str) -> str:
    if value and not value.startswith("sqlite:///"):
        raise ValueError("only sqlite:///... is built so far; PostgreSQL comes later")
    return value


def _check_file_url(value: str) -> str:
    if value and not value.startswith("file:///"):
        raise ValueError("only file:///... is built so far; S3 comes later")
    return value


def _check_http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as http://host:port or https://host")
    return value.rstrip("/")


def _check_secret(value: SecretStr) -> SecretStr:
    # Shorter ones can be guessed, and their redaction would make the log unreadable.
    if len(value.get_secret_value()) < _SHORTEST_TOKEN:
        raise ValueError(f"use at least {_SHORTEST_TOKEN} characters")
    return value


ListenAddress = Annotated[str, AfterValidator(_check_listen)]
"""`host:port`; port 0 takes any free one."""

SqliteUrl = Annotated[str, AfterValidator(_check_sqlite_url)]
"""`sqlite:///` and an absolute path."""

FileUrl = Annotated[str, AfterValidator(_check_file_url)]
"""`file:///` and an absolute path to a folder."""

HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
"""An HTTP address without a slash at its end."""


def _default_home() -> Path:
    return platformdirs.user_data_path("lookalike", appauthor=False)


class Settings(BaseSettings):
    """The settings that every process has.

    Attributes:
        lookalike_home: the folder in which everything is written.
        service_token: the bearer token between the services; None: the one in the home folder,
            which the first start makes.
        lookalike_log: how the log is written.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    lookalike_home: Path = Field(default_factory=_default_home)
    service_token: Annotated[SecretStr, AfterValidator(_check_secret)] | None = None
    lookalike_log: logs.Style = "text"

    @cached_property
    def bearer_token(self) -> str:
        """The token that the services show one another."""
        if self.service_token is not None:
            return self.service_token.get_secret_value()
        return service_token(self.lookalike_home)

    def known_token(self) -> str | None:
        """The bearer token if there is one already; none is made."""
        if self.service_token is not None:
            return self.service_token.get_secret_value()
        return known_service_token(self.lookalike_home)

    def secrets(self) -> list[str]:
        """All secrets, for the redaction of logs."""
        return [self.bearer_token, *self.given_secrets()]

    def given_secrets(self) -> list[str]:
        """The secrets among the settings."""
        values = [getattr(self, name) for name in type(self).model_fields]
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]

    def folder(self, name: str) -> Path:
        """The absolute path of a folder in the home folder; it is not made."""
        return (self.lookalike_home / name).absolute()

    @classmethod
    def load(cls) -> Self:
        """Reads the settings.

        Raises:
            StartError: a value is missing or wrong; the message names the variable.
        """
        return _load(cls)


def _load(cls: type[_S]) -> _S:
    try:
        return cls()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]).upper()
        if first["type"] == "missing":
            raise StartError(f"{name} is not set; `lookalike init` asks for it.") from None
        problem = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise StartError(f"{name}: {problem}.") from None
