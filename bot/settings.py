"""The bot's settings."""

import re
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from bot.access import Access, Policy
from bot.captioners.azure import check_endpoint
from lookalike.settings import LOOPBACK_HOSTS, HttpUrl, ListenAddress, Secret, Settings
from lookalike.tokens import derived_secret

TELEGRAM: Final = "https://api.telegram.org"
"""Telegram's own Bot API server."""

_PUBLIC_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_TELEGRAMS_PORTS = (443, 80, 88, 8443)
"""To others it does not deliver (core.telegram.org/bots/api#setwebhook)."""


def _parse_ids(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    ids = [each.strip() for each in value.split(",")]
    if not all(re.fullmatch(r"-?[1-9][0-9]{0,15}", each) for each in ids):
        raise ValueError("write Telegram's ids, with commas between them, such as 1234567,-100200")
    return frozenset(map(int, ids))


Ids = Annotated[frozenset[int], NoDecode, BeforeValidator(_parse_ids)]
"""Ids of users and chats; in a setting, with commas between them."""


class BotSettings(Settings):
    """What the bot is told.

    Attributes:
        telegram_bot_token: from @BotFather.
        telegram_api_url: the Bot API server.
        captioner: who says what a photo shows; `auto` takes azure if its key is set, then blip if
            its weights are on this machine, else offline.
        azure_vision_endpoint: the resource's address; http only to loopback.
        azure_vision_key: the resource's key.
        bot_poll_seconds: the period of the tick.
        bot_dial: how much of a photo its first picture keeps, where its owner has chosen nothing.
        bot_access: whom the bot is for: its owner, whom they invite, or everyone, as it is where
            nothing is said.
        bot_admins: users who run the bot besides its owner.
        bot_allowed: users and chats whom it is for, whatever bot_access says.
        bot_groups: which photos in groups are for the bot: those that mention it or about which it
            is asked, or all.
        bot_notice: the answer to /terms, such as the model's conditions of use.
        bot_privacy_url: where people read more than /privacy says; a copy of docs/privacy.md.
        bot_listen: where the HTTP front is served: health checks, and Telegram's webhook.
        bot_public_url: the address by which others reach bot_listen, without a slash at its end;
            None: nobody does, and the bot polls. Its port 0 is that of bot_listen.
        dbservice_address: where dbservice is; several addresses have commas between them.
        generator_url: where the generator is.
    """

    telegram_bot_token: Secret
    telegram_api_url: HttpUrl = TELEGRAM
    captioner: Literal["auto", "azure", "blip", "offline"] = "auto"
    azure_vision_endpoint: str | None = None
    azure_vision_key: Secret | None = None
    bot_poll_seconds: float = Field(default=2, ge=0.05, le=10)
    bot_dial: Literal["dream", "cousin", "sibling", "twin"] = "dream"
    bot_access: Policy | None = None
    bot_admins: Ids = frozenset()
    bot_allowed: Ids = frozenset()
    bot_groups: Literal["mention", "all"] = "mention"
    bot_notice: str = Field(default="", max_length=1000)
    bot_privacy_url: Annotated[HttpUrl, Field(max_length=500)] | None = None
    bot_listen: ListenAddress = "127.0.0.1:5003"
    bot_public_url: str | None = None
    dbservice_address: str = "127.0.0.1:5002"
    generator_url: HttpUrl = "http://127.0.0.1:5001"

    @field_validator("telegram_bot_token")
    @classmethod
    def _check_token(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"\d+:[A-Za-z0-9_-]{20,}", value.get_secret_value()):
            raise ValueError("this is not a token as @BotFather gives it (digits, colon, letters)")
        return value

    @field_validator("dbservice_address")
    @classmethod
    def _check_dbservice(cls, value: str) -> str:
        addresses = [each.strip() for each in value.split(",")]
        if len(addresses) > 1:
            for each in addresses:
                host, _, port = each.rpartition(":")
                try:
                    ip_address(host.strip("[]"))
                except ValueError:
                    port = ""
                if not port.isdecimal():
                    message = "write several as IP addresses with ports, and commas between them"
                    raise ValueError(message) from None
            if len({"[" in each for each in addresses}) > 1:
                raise ValueError("several addresses are all of IPv4, or all of IPv6")
        return ",".join(addresses)

    @field_validator("azure_vision_endpoint")
    @classmethod
    def _check_azure(cls, value: str | None) -> str | None:
        if value is not None:
            check_endpoint(value)
        return value

    @field_validator("bot_public_url")
    @classmethod
    def _check_public_url(cls, value: str | None, info: ValidationInfo) -> str | None:
        telegram = str(info.data.get("telegram_api_url", TELEGRAM))
        return None if value is None else _public_url(value, telegram)

    def public_url_of(self, address: str) -> str | None:
        """BOT_PUBLIC_URL, where the HTTP front listens at `address`, as host:port."""
        if self.bot_public_url is None:
            return None
        parts = urlsplit(self.bot_public_url)
        if parts.port != 0:
            return self.bot_public_url
        port = address.rpartition(":")[2]
        return parts._replace(netloc=f"{parts.netloc.removesuffix(':0')}:{port}").geturl()

    @property
    def webhook_secret(self) -> str:
        """By which the webhook knows Telegram; bots that share SERVICE_TOKEN share it."""
        return derived_secret(self.bearer_token, f"telegram webhook of {self.bot_id}")

    def secrets(self) -> list[str]:
        """All secrets, for the redaction of logs."""
        return [*super().secrets(), self.webhook_secret]

    @property
    def access(self) -> Access:
        """Who may use the bot."""
        return Access(
            self.bot_access or "everyone", self.bot_admins, self.bot_allowed, self.lookalike_home
        )

    @property
    def bot_id(self) -> int:
        """The bot's user id, which its token begins with."""
        return int(self.telegram_bot_token.get_secret_value().partition(":")[0])


def _public_url(value: str, telegram: str) -> str:
    """An address in one form: a small host, no port that its scheme implies, no slash at its end.

    Args:
        value: as it was set.
        telegram: the Bot API server.
    """
    example = "https://bot.example.org, or https://example.org/bot if a path leads to the bot"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(f"write it as {example}") from None
    if not _PUBLIC_URL.fullmatch(value) or not parts.hostname:
        raise ValueError(f"write it as {example}")
    if parts.scheme == "http" and urlsplit(telegram).hostname not in LOOPBACK_HOSTS:
        raise ValueError("use https (http is for a TELEGRAM_API_URL on this machine)")
    default = _DEFAULT_PORTS[parts.scheme]
    port = default if port is None else port
    if telegram == TELEGRAM and port not in _TELEGRAMS_PORTS:
        raise ValueError(
            "Telegram delivers to the ports 443, 80, 88 and 8443 alone; use one of them"
        )
    if telegram == TELEGRAM and parts.hostname in LOOPBACK_HOSTS:
        raise ValueError("Telegram cannot reach this machine by that name; use a public one")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    place = host if port == default else f"{host}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
