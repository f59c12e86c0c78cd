"""Signed addresses of images: whoever has one may see the image, for some minutes.

An `<img>` sends no header that says who asks, and a cookie of an app in Telegram Web would be a
third party's, which browsers drop.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_WINDOW: Final = 600
"""Seconds. An address is good for one to two of these, and the same as long as a window lasts, so
that the browser asks for each image once."""


class Kind(StrEnum):
    """What of a picture an address leads to."""

    THUMBNAIL = "thumbnail"
    IMAGE = "image"
    PHOTO = "photo"


@dataclass(frozen=True)
class Link:
    """What an address says.

    Attributes:
        kind: what of the picture.
        id: the photo's, or the picture's of the others.
        user_id: for whom it was made.
        expires: when it ends, in seconds since 1970.
    """

    kind: Kind
    id: str
    user_id: int
    expires: int


class Links:
    """Makes addresses, and checks them."""

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        """`key` signs them; `clock` gives seconds since 1970."""
        self._key = key.encode()
        self._clock = clock

    def to(self, kind: Kind, image_id: str, user_id: int) -> str:
        """The address of an image, relative to the page's."""
        expires = (int(self._clock()) // _WINDOW + 2) * _WINDOW
        link = Link(kind, image_id, user_id, expires)
        query = f"u={user_id}&e={expires}&s={self._signature(link)}"
        return f"images/{kind}/{image_id}?{query}"

    def seconds_left(self, link: Link, signature: str) -> int:
        """How long an address is good for yet; 0: it is not, or nobody here has made it."""
        if not hmac.compare_digest(self._signature(link).encode(), signature.encode()):
            return 0
        return max(0, link.expires - int(self._clock()))

    def _signature(self, link: Link) -> str:
        signed = f"{link.kind}:{link.id}:{link.user_id}:{link.expires}"
        return hmac.new(self._key, signed.encode(), hashlib.sha256).hexdigest()
