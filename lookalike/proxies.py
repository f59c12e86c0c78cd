"""Proxies: none between our services and to this machine, elsewhere those of the environment."""

import importlib.util
import os
import re
from urllib.parse import quote, unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

from lookalike.errors import StartError
from lookalike.settings import LOOPBACK_HOSTS

NO_GRPC_PROXY = ("grpc.enable_http_proxy", 0)
"""The option of a gRPC channel to one of our services, which would else take HTTPS_PROXY."""

_SOCKS = frozenset({"socks5", "socks5h"})

_SUB_DELIMS = "!$&'()*+,;="
"""What a user or a password may have as it is, besides letters, digits and `-._~` (RFC 3986)."""

_USER_INFO = re.compile(r"(?:[a-z0-9+.-]+://)?(.+)@", re.IGNORECASE)

_SHORTEST_SECRET = 4
"""Characters. What is shorter would be found in any word."""


def proxy_for(url: str, *, socks: bool = False) -> str | None:
    """The proxy for a URL, as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY have it.

    Args:
        url: where requests go.
        socks: whether whoever makes the requests can use SOCKS, given the package for it.

    Returns:
        The proxy's URL; None: requests go there themselves, as to this machine they always do.

    Raises:
        StartError: the proxy cannot be used; the sentence names the variable.
    """
    parts = urlsplit(url)
    if parts.hostname in LOOPBACK_HOSTS or proxy_bypass_environment(parts.netloc):
        return None
    name = _variable(parts.scheme)
    if name is None:
        return None
    proxy = os.environ[name]
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    known = {"http", "https"} | (_SOCKS if socks and importlib.util.find_spec("socksio") else set())
    try:
        found = urlsplit(proxy)
        usable = found.scheme in known and found.hostname and found.port != 0
    except ValueError:  # its port is no number
        usable = False
    if not usable:
        # Not the value: it may have a password in it.
        also = ", or socks5:// with the package httpx[socks]" if socks else ""
        raise StartError(
            f"{name} cannot be used for {parts.hostname}: write it as http://host:port{also}, or "
            "have NO_PROXY name that host."
        )
    return proxy


def _variable(scheme: str) -> str | None:
    """The environment variable that names the proxy, if one does: small letters win."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper(), "all_proxy", "ALL_PROXY")
    return next((name for name in names if os.environ.get(name)), None)


def secrets() -> list[str]:
    """What the variables `*_PROXY` have that no log may have: users with passwords, and passwords.

    Each is there as it is written, decoded, and as a client encodes it anew.
    """
    found: set[str] = set()
    for name, value in os.environ.items():
        # Not urlsplit, which refuses or cuts what is not encoded: errors quote that as well.
        if name.lower().endswith("_proxy") and (match := _USER_INFO.match(value)):
            user, colon, password = match[1].partition(":")
            for written in (str, unquote, _encoded):
                found |= {written(user) + colon + written(password), written(password)}
    return [each for each in found if len(each) >= _SHORTEST_SECRET]


def _encoded(part: str) -> str:
    return quote(unquote(part), safe=_SUB_DELIMS)
