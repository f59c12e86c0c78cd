"""Takes out of a text what tells whose it is: values of settings, and addresses of other machines.

By their values alone they would not be found: services write them in another form, names are
resolved, and some addresses are in no setting.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from lookalike.logs import RedactionFilter
from lookalike.redaction import all_secrets

HIDDEN: Final = "[redacted]"
"""What is put in their place."""

_SHORTEST: Final = 4
"""Characters. What is shorter stays, unless it is quoted: it would be found in any word."""

_LOCAL: Final = frozenset({"sqlite", "file"})
"""Schemes of URLs that name no machine."""

_PUBLIC: Final = frozenset({"api.telegram.org", "huggingface.co"})
"""Hosts that everybody asks who changes nothing."""

_FILES: Final = frozenset(
    {"bin", "ckpt", "conf", "db", "env", "json", "log", "safetensors", "tar", "toml", "txt", "xml"}
)
"""What names of files end in. None of them is a top-level domain."""

_HOST = re.compile(r"\[?([^\[\]/@]+?)\]?(:\d+)?")
_QUOTED = re.compile(r"([\"'«»„“]\s?)([^\"'«»„“”\s]{1,200})(?=\s?[\"'«»“”])")
_URL = re.compile(r"(?<![\w+.-])(([a-z][a-z0-9+.-]*)://)([^\s\"'<>«»“”]+)", re.IGNORECASE)
_IPV6 = re.compile(r"(?<![\w:])\[?([0-9a-f.]*(?::[0-9a-f.]*){2,})(?:%\w+)?\]?(?!\w)", re.IGNORECASE)
_DOTTED = re.compile(r"(?<![\w.-])[\w-]+(?:\.[\w-]+)+")
_TOP_LEVEL = re.compile(r"[^\W\d_]{2,}|xn--[a-z0-9-]+", re.IGNORECASE)
_EXCEPTION = re.compile(r"[A-Z]\w*(Error|Exception|Warning)")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]|0\.0\.0\.0|\[::\])(:\d+)?", re.IGNORECASE)


def scrub(text: str, values: Iterable[str], secrets: Iterable[str]) -> str:
    """The text without what is somebody's own.

    Args:
        text: what the doctor has printed.
        values: what it may not have, nor any part of them by which they are known.
        secrets: ours besides these.
    """
    hidden, names = set(secrets), set[str]()
    for value in values:
        hidden |= set(_parts(value))
        names |= set(_names(value))
    found_anywhere = all_secrets(each for each in hidden if len(each) >= _SHORTEST)
    text = RedactionFilter(found_anywhere).redact(text)
    text = _QUOTED.sub(lambda found: _quoted(found, names | hidden), text)
    text = _URL.sub(_url, text)
    text = _IPV6.sub(_ipv6, text)
    return _DOTTED.sub(_dotted, text)


def _parts(value: str) -> Iterator[str]:
    """A value, and what of it may stand elsewhere alone: a part of a list, a host, a password."""
    yield value
    for each in value.split(","):
        yield each.strip()
        if (match := _HOST.fullmatch(each.strip())) and match[2] and re.search("[.:]", match[1]):
            yield match[1]
    with suppress(ValueError):  # it is no URL
        parts = urlsplit(value)
        yield from (host for host in _hosts(parts.netloc) if "." in host)
        password = parts.password or ""
        yield from (password, unquote(password))
        if parts.scheme in _LOCAL:
            yield unquote(parts.path).replace("//", "/")
        yield from _arguments(parts.query)


def _names(value: str) -> Iterator[str]:
    """Words of a URL that stand elsewhere in quotation marks: a user, hosts, a database.

    Where they are not quoted they may be words like any other.
    """
    with suppress(ValueError):  # it is no URL
        parts = urlsplit(value)
        for each in (parts.username or "", *parts.path.split("/")):
            yield from (each, unquote(each))
        yield from _hosts(parts.netloc)
        yield from _arguments(parts.query)


def _hosts(netloc: str) -> Iterator[str]:
    """The hosts of a URL, of which libpq takes several, but for names of this machine."""
    for each in netloc.rpartition("@")[2].split(","):
        if (match := _HOST.fullmatch(each)) and not _LOOPBACK.fullmatch(each):
            yield match[1]


def _arguments(query: str) -> Iterator[str]:
    """What a URL's query has: each value, and each part of a list."""
    for pair in query.split("&"):
        written = pair.partition("=")[2]
        value = unquote(written)
        yield from (written, value, *value.split(","))


def _quoted(found: re.Match[str], names: set[str]) -> str:
    return f"{found[1]}{HIDDEN}" if found[2] in names else found[0]


def _url(found: re.Match[str]) -> str:
    """A URL as it may be shown: whole if it leads nowhere else, or else its scheme."""
    prefix, scheme, rest = found.groups()
    authority = re.split("[/?#]", rest, maxsplit=1)[0].rstrip(".,:;!?)")
    if scheme.lower() in _LOCAL or _LOOPBACK.fullmatch(authority) or authority in _PUBLIC:
        return found[0]
    end = rest[len(rest.rstrip(".,:;!?)")) :]
    return f"{prefix}{HIDDEN}{end}"


def _ipv6(found: re.Match[str]) -> str:
    """An address of IPv6 as it may be shown; a sentence may go on right after it."""
    for end in ("", ".", ":"):
        if found[1].endswith(end) and (shown := _address(found[1].removesuffix(end))) is not None:
            return found[0] if shown else f"{HIDDEN}{end}"
    return found[0]


def _dotted(found: re.Match[str]) -> str:
    """A word with dots as it may be shown: anything but another machine's address or name."""
    word, before = found[0], found.string[: found.start()]
    if (shown := _address(word)) is not None:
        return word if shown else HIDDEN
    first, last = word.partition(".")[0], word.rpartition(".")[2]
    is_known = (
        last.lower() in _FILES
        or _EXCEPTION.fullmatch(last)
        or word.lower() in _PUBLIC
        or (last == "md" and before.endswith("docs/"))
        or (last == "so" and first.startswith("lib"))
        or before.endswith(("No module named ", "No module named '"))
    )
    return word if is_known or not _TOP_LEVEL.fullmatch(last) else HIDDEN


def _address(text: str) -> bool | None:
    """Whether an IP address may be shown, as those do that mean this machine; None: it is none."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.is_loopback or found.is_unspecified
