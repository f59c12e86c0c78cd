"""Bytes by key: photos and pictures, apart from the rows that speak of them.

Bytes are stored first, under a new key, and then the row that names the key is committed. So a row
never speaks of bytes that are not there, a writer that lost its lease overwrites nobody's bytes,
and no transaction waits for a disk or a network. What a lost race or a crash leaves behind is in no
row: `list` finds it, and the owner of the rows deletes it.
"""

import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from typing import Final, Protocol

CHUNK_BYTES: Final = 256 * 1024
"""How much is read at a time."""

_KEY: Final = re.compile(
    r"([0-9a-f])/\1[0-9a-f-]*-\d+-[0-9a-f]{8}"
    # The first version had no folders in the folder, and named files by a row's id.
    r"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-\d+\.png)?"
)
"""What keys look like. Other files are a stranger's: `list`, and so a sweep, leaves them alone."""

VARIANTS: Final = ("avif", "webp", "jpeg")
"""What may be kept of an image besides its own bytes, by names; see `variant`."""

_VARIANT: Final = re.compile(rf"(.+)\.(?:{'|'.join(VARIANTS)})")


def is_key(name: str) -> bool:
    """Whether this can be a key, and so no path to anywhere else."""
    return _KEY.fullmatch(name) is not None


def new_key(owner: str, fence: int) -> str:
    """A key that nobody has used.

    Args:
        owner: the id of the row that will name it, a UUID or a checksum in hex.
        fence: the writer's; it tells a person whose attempt left the bytes.
    """
    return f"{owner[:1]}/{owner}-{fence}-{secrets.token_hex(4)}"


def variant(key: str, name: str) -> str:
    """The key of what was made of a key's bytes, one of `VARIANTS`.

    No row names it: it is found by the key, deleted with the key, and can be made again.
    """
    return f"{key}.{name}"


def key_of(name: str) -> str:
    """The key that a variant is of; any other name is returned as it is."""
    of_variant = _VARIANT.fullmatch(name)
    return of_variant[1] if of_variant else name


def variants(key: str) -> list[str]:
    """The keys of all that may have been made of a key's bytes."""
    return [variant(key, name) for name in VARIANTS]


class Blobs(Protocol):
    """A store of bytes. Every method raises OSError where the disk or the network fails."""

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Stores bytes; after return they survive a power cut.

        What `parts` raises is passed on, and nothing is stored then.

        Args:
            key: a new one, by `new_key`, or the variant of one.
            parts: the bytes in pieces.
        """

    def open(self, key: str) -> AsyncGenerator[bytes]:
        """The bytes of a key, in pieces.

        Whoever may be cancelled closes it (`contextlib.aclosing`).

        Raises:
            FileNotFoundError: there are none.
        """

    async def missing(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have no bytes."""

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes the bytes of these keys where there are any; after return they stay gone.

        So do their variants.
        """

    def list(self, older_than: float = 0.0) -> AsyncIterator[str]:
        """All keys whose bytes were stored at least so many seconds ago, in no order.

        Also those of which a variant alone is left.
        """

    async def tidy(self) -> None:
        """Deletes what is left of storing that broke off, once nobody can be at it any more."""
