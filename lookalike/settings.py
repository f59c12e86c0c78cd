"""Settings, from the environment or, below it, from `.env` in the working directory.

Each service declares its own in its `settings.py`, as a subclass of `Settings`; a field's name in
capitals is the variable's name. A secret may be in a file, which the variable's name with `_FILE`
names. `docs/settings.md` lists them all.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self, TypeVar
from urllib.parse import unquote, urlsplit

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from lookalike import logs, secret_files
from lookalike.errors import StartError
from lookalike.tokens import known_service_token, service_token

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

ENV_FILE = Path(".env")
"""Where settings are read that the environment lacks, in the working directory."""

ENV_ENCODING = "utf-8-sig"
"""With or without the mark that some editors put in front."""

_SHORTEST_TOKEN = 16
_SENDABLE = re.compile(r"[!-~]+")
"""What an HTTP header takes as it is (RFC 9110, 5.5), less the spaces."""

_SQLITE = "sqlite:///"
_POSTGRESQL = "postgresql://"
_S3 = "s3://"
_BUCKET = re.compile(
    r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/(?!\.{1,2}(/|$))[\w.-]{1,100}){0,8}", re.ASCII
)
"""Names that S3 takes (its User Guide, Bucket naming rules), and segments that need no escaping."""

_S = TypeVar("_S", bound="Settings")


def _check_listen(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004
        raise ValueError("write it as host:port, such as 127.0.0.1:5001")
    return value


def _check_database_url(value: str) -> str:
    if not value.startswith(_POSTGRESQL):
        if value and not value.startswith(_SQLITE):
            raise ValueError("write it as sqlite:///path or postgresql://user:password@host/name")
        return _at_home(value, _SQLITE)
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018, it is read when it is asked for
    except ValueError:
        raise ValueError("its host or port cannot be read; % and the like are %25") from None
    if "password=" in parts.query:  # what is there is not known to be secret
        raise ValueError(
            "write the password before the host, as in postgresql://user:password@host"
        )
    if len(parts.path) <= 1 or "/" in parts.path[1:] or parts.fragment:
        raise ValueError("write it as postgresql://user:password@host/name; in these, # is %23")
    return value


def _check_blob_url(value: str) -> str:
    if value.startswith(_S3):
        if not _BUCKET.fullmatch(value := value.rstrip("/")):
            raise ValueError(
                "write it as s3://bucket or s3://bucket/prefix, in letters, digits, dots, dashes"
                " and underscores; credentials do not belong in it"
            )
        return value
    if value and not value.startswith("file:///"):
        raise ValueError("write it as file:///... or s3://bucket/prefix")
    return _at_home(value, "file:///")


def _at_home(url: str, scheme: str) -> str:
    """The URL with `~` at its path's beginning expanded."""
    path = url.removeprefix(scheme)
    if not path.startswith("~"):
        return url
    return scheme + str(_expand(Path(path))).removeprefix("/" if scheme == "file:///" else "")


def _expand(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {path.parts[0]}") from None


def _check_http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write it as http://host:port or https://host")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("http would send the token in the clear; use https (http is for loopback)")
    return value.rstrip("/")


def _check_sendable(value: SecretStr) -> SecretStr:
    secret = value.get_secret_value().rstrip("\r\n")  # files and clipboards bring these along
    if not _SENDABLE.fullmatch(secret):
        raise ValueError("it has a space or a character that is not ASCII; copy it again")
    return SecretStr(secret)


def _check_length(value: SecretStr) -> SecretStr:
    # Shorter ones can be guessed, and their redaction would make the log unreadable.
    if len(value.get_secret_value()) < _SHORTEST_TOKEN:
        raise ValueError(f"use at least {_SHORTEST_TOKEN} characters")
    return value


ListenAddress = Annotated[str, AfterValidator(_check_listen)]
"""`host:port`; port 0 takes any free one."""

DatabaseUrl = Annotated[str, secret_files.MAY_BE_IN_FILE, AfterValidator(_check_database_url)]
"""`sqlite:///` and an absolute path, or `postgresql://` with user, password, host and a name."""

BlobUrl = Annotated[str, AfterValidator(_check_blob_url)]
"""`file:///` and an absolute path to a folder; or `s3://`, a bucket, and perhaps a prefix."""

HttpUrl = Annotated[str, AfterValidator(_check_http_url)]
"""An HTTP address without a slash at its end; http only to loopback."""

Secret = Annotated[SecretStr, secret_files.MAY_BE_IN_FILE, AfterValidator(_check_sendable)]
"""What is sent in a header, and may be in a file; line ends after it are none of it."""

LocalPath = Annotated[Path, AfterValidator(_expand)]
"""A path; `~` is the home folder."""


def folder_of(url: str) -> Path | None:
    """The folder that a `BlobUrl` names; None: it is not on this machine."""
    if url.startswith(_S3):
        return None
    return Path(unquote(urlsplit(url.replace("?", "%3F").replace("#", "%23")).path))


def bucket_of(url: str) -> tuple[str, str]:
    """The bucket and the prefix that a `BlobUrl` of S3 names."""
    bucket, _, prefix = url.removeprefix(_S3).partition("/")
    return bucket, prefix


def _default_home() -> Path:
    return platformdirs.user_data_path("lookalike", appauthor=False)


class SettingsError(StartError):
    """Settings are missing or wrong.

    Attributes:
        faults: a sentence for each of them, which names the variable.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = tuple(faults)


class Settings(BaseSettings):
    """The settings that every process has.

    Attributes:
        lookalike_home: the folder in which everything is written.
        service_token: the bearer token between the services; None: the one in the home folder,
            which the first start makes.
        lookalike_log: how the log is written.
    """

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding=ENV_ENCODING,
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    lookalike_home: LocalPath = Field(default_factory=_default_home)
    service_token: Annotated[Secret, AfterValidator(_check_length)] | None = None
    lookalike_log: logs.Style = "text"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where values come from, the first ones before the others."""
        del settings_cls, file_secret_settings  # a folder of secrets, which we do not have
        files = secret_files.Source(cls, env_settings, dotenv_settings)
        return init_settings, files, env_settings, dotenv_settings

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
        found = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        for value in values:
            if isinstance(value, str) and value.startswith(_POSTGRESQL):
                password = urlsplit(value).password or ""
                found += {password, unquote(password)} - {""}
        return found

    def folder(self, name: str) -> Path:
        """The absolute path of a folder in the home folder; it is not made."""
        return (self.lookalike_home / name).absolute()

    @classmethod
    def load(cls, env_file: Path = ENV_FILE) -> Self:
        """Reads the settings.

        Args:
            env_file: where those are that the environment lacks.

        Raises:
            SettingsError: values are missing or wrong; the message names the variables.
        """
        return _load(cls, env_file)


class StorageSettings(Settings):
    """The settings of a process whose bytes may be in S3, by the names that AWS's programs have.

    Attributes:
        aws_endpoint_url: where S3 is; None: AWS's, in the region.
        aws_region: the bucket's.
        aws_access_key_id: the credentials' name; None: those that the machine lends, if it does.
        aws_secret_access_key: their secret.
        aws_session_token: of those that expire.
    """

    aws_endpoint_url: HttpUrl | None = None
    aws_region: Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")] | None = None
    aws_access_key_id: Secret | None = None
    aws_secret_access_key: Secret | None = None
    aws_session_token: Secret | None = None


def _load(cls: type[_S], env_file: Path) -> _S:
    _check_file(env_file)
    try:
        return cls(_env_file=env_file)
    except ValidationError as error:
        wrong = {".".join(map(str, each["loc"])).upper(): each for each in error.errors()}
        missing = [name for name, each in wrong.items() if each["type"] == "missing"]
        told = [
            f"{name}: {each['msg'].removeprefix('Value error, ').rstrip('.')}."
            for name, each in wrong.items()
            if name not in missing
        ]
        told = [f"{name} is not set; `lookalike init` asks for it." for name in missing] + told
        raise SettingsError(told) from None


def _check_file(env_file: Path) -> None:
    """Makes sure that the file can be read as text.

    Raises:
        SettingsError: it cannot.
    """
    try:
        text = env_file.read_text(encoding=ENV_ENCODING)
    except FileNotFoundError:
        return
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError([f"{env_file} cannot be read: {reason}."]) from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SettingsError([f"{env_file} is not UTF-8; save it as that."])
