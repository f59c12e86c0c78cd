"""Bytes in a bucket of S3, or of what speaks its protocol.

obstore carries them. Its errors quote addresses and requests, so none of their words is passed on:
only S3's own code for what is wrong (docs.aws.amazon.com, S3 API Reference, Error Responses).
"""

import asyncio
import errno
import itertools
import os
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from lookalike.blobs import CHUNK_BYTES, is_key, key_of, variants

_PART_BYTES: Final = 5 * 1024 * 1024
"""What is not longer is one request; longer bytes go up in parts of this size, the least that S3
takes."""

_PUTS_AT_ONCE: Final = 16
"""Each has up to three parts in memory."""

_ASKED_AT_ONCE: Final = 16
_PAGE: Final = 1000  # keys, as many as S3 lists at a time
_BATCH: Final = 1000  # keys, as many as S3 deletes at a time
_WITHDRAW_SECONDS: Final = 5.0

_CLIENT: Final = {"connect_timeout": "3s", "read_timeout": "20s", "timeout": "60s"}
_RETRIES: Final = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=15),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=2),
        "base": 2,
    },
}

_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w{1,64})</Code>")
_NO_BUCKET: Final = "NoSuchBucket"
_REDIRECT: Final = "BareRedirect"  # obstore's name for an answer that only says: not here
_PASSING: Final = frozenset({"OperationAborted", "RequestTimeout", "SlowDown"})
"""What S3 gets over, though it puts the blame on the request."""

_ABSENT: Final = {
    errno.ENOENT: os.strerror(errno.ENOENT),
    errno.ENODEV: "the bucket is not there",
}

_A = TypeVar("_A")


@dataclass(frozen=True)
class Access:
    """Where S3 is, and by whose leave; what is None is looked for as AWS's own programs do.

    Attributes:
        endpoint: its address; None: AWS's in the region.
        region: of the bucket.
        key_id: of the credentials.
        secret: of the credentials.
        session_token: of credentials that expire.
        direct: whether no proxy stands before it, whatever the environment says.
    """

    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret: str | None = None
    session_token: str | None = None
    direct: bool = False

    def config(self) -> dict[str, str]:
        """As obstore has it."""
        given = {
            "aws_endpoint_url_s3": self.endpoint,  # which wins over any other name for it
            "region": self.region,
            "access_key_id": self.key_id,
            "secret_access_key": self.secret,
            "session_token": self.session_token,
        }
        return {name: value for name, value in given.items() if value is not None}

    def client(self) -> dict[str, Any]:
        """Likewise."""
        endpoint = urlsplit(self.endpoint or "")
        options: dict[str, Any] = {**_CLIENT, "allow_http": endpoint.scheme == "http"}
        if self.direct and endpoint.hostname:
            # There is no option for no proxy; one that is for no host does the same.
            options |= {"proxy_url": self.endpoint, "proxy_excludes": endpoint.hostname}
        return options


@dataclass(frozen=True)
class Stored:
    """What S3 says of bytes.

    Attributes:
        at: when they came, by S3's clock, to the second.
        has_version: whether the bucket keeps what is deleted as an older version.
    """

    at: datetime
    has_version: bool


class S3Blobs:
    """A bucket, or what is below a prefix in it."""

    def __init__(self, bucket: str, prefix: str, access: Access) -> None:
        """Connects to nothing yet; see `check`.

        Args:
            bucket: its name.
            prefix: names without slashes at either end; "": all of the bucket.
            access: to it.

        Raises:
            ValueError: the environment has a value that obstore does not take.
        """
        self._bucket = bucket
        self._turns = asyncio.Semaphore(_PUTS_AT_ONCE)
        try:
            self._store = S3Store(
                bucket,
                prefix=prefix or None,
                config=access.config(),  # type: ignore[arg-type]  # a dict is what it is
                client_options=access.client(),  # type: ignore[arg-type]  # likewise
                retry_config=_RETRIES,  # type: ignore[arg-type]  # likewise
            )
        except BaseError:
            raise ValueError("a variable of AWS's has a value that cannot be used") from None

    async def check(self) -> None:
        """Asks whether the bucket is there and can be listed.

        Raises:
            OSError: not so, or not now; its words say which.
        """
        async with aclosing(self._pages("drafts")) as pages:  # nothing is there: a short answer
            await anext(pages, None)

    async def tidy(self) -> None:
        """Nothing: the parts of what broke off are for a lifecycle rule; see docs/running.md."""

    async def put(self, key: str, parts: AsyncIterable[bytes]) -> None:
        """Stores bytes; see `Blobs.put`. They are in S3, as many as were sent, after return."""
        async with self._turns:
            begun = bytearray()
            pieces = aiter(parts)
            async for piece in pieces:
                begun += piece
                if len(begun) > _PART_BYTES:
                    break
            try:
                if len(begun) <= _PART_BYTES:
                    await self._put_whole(key, bytes(begun))
                else:
                    await self._put_in_parts(key, begun, pieces)
            except FileExistsError:
                raise
            except BaseException:
                await self._withdraw(key)
                raise

    async def open(self, key: str) -> AsyncGenerator[bytes]:
        """The bytes of a key; see `Blobs.open`."""
        found = await self._found(obstore.get_async(self._store, key), key)
        stream = aiter(found.stream(CHUNK_BYTES))
        while True:
            with _faults(key):
                try:
                    data = await anext(stream)
                except StopAsyncIteration:
                    return
            for start in range(0, len(data), CHUNK_BYTES):
                yield data[start : start + CHUNK_BYTES]

    async def missing(self, keys: Iterable[str]) -> set[str]:
        """Those without bytes; see `Blobs.missing`."""
        gone: set[str] = set()
        for some in _batches(keys, _ASKED_AT_ONCE):
            there = await asyncio.gather(*map(self._is_there, some))
            gone.update(key for key, found in zip(some, there, strict=True) if not found)
        return gone

    async def delete(self, keys: Iterable[str]) -> None:
        """Deletes bytes; see `Blobs.delete`."""
        asked = tuple(keys)
        # The bytes go first: whoever makes a variant meanwhile looks for them once more.
        for names in (asked, itertools.chain.from_iterable(map(variants, asked))):
            for some in _batches(names, _BATCH):
                with _faults(self._bucket):
                    await obstore.delete_async(self._store, some)

    async def list(self, older_than: float = 0.0) -> AsyncIterator[str]:
        """All keys; see `Blobs.list`. When they were stored is by S3's clock.

        S3 refuses whose clock is more than 15 minutes from its own.
        """
        before = datetime.now(UTC) - timedelta(seconds=older_than)
        last: set[str] = set()
        async for page in self._pages():
            here = {each["path"] for each in page}
            for each in page:
                if each["last_modified"] > before:
                    continue
                key = key_of(each["path"])
                if not is_key(key):
                    continue
                if key != each["path"] and (
                    key in here or key in last or await self._is_there(key)
                ):
                    continue
                yield key
            last = here

    async def stored(self, key: str) -> Stored:
        """What S3 says of the bytes of a key.

        Raises:
            OSError: S3 fails, or the key has no bytes.
        """
        found = await self._found(obstore.head_async(self._store, key), key)
        return Stored(found["last_modified"], found["version"] not in {None, "null"})

    async def _put_whole(self, key: str, data: bytes) -> None:
        try:
            with _faults(key):
                await _to_its_end(obstore.put_async(self._store, key, data, mode="create"))
        except FileExistsError:
            # By a try of ours that S3 took and whose answer was lost; or it is the same thumbnail.
            async with aclosing(self.open(key)) as pieces:
                if b"".join([piece async for piece in pieces]) != data:
                    raise
        await self._verify(key, len(data))

    async def _put_in_parts(self, key: str, begun: bytearray, rest: AsyncIterator[bytes]) -> None:
        """S3 shows nothing under the key before the last part is there."""
        size = len(begun)
        writer = obstore.open_writer_async(
            self._store, key, buffer_size=_PART_BYTES, max_concurrency=1
        )
        try:
            with _faults(key):
                await writer.write(bytes(begun))
            begun.clear()
            async for piece in rest:
                size += len(piece)
                with _faults(key):
                    await writer.write(piece)
        except BaseException as error:
            with suppress(BaseError, OSError):
                async with asyncio.timeout(_WITHDRAW_SECONDS):
                    await writer.__aexit__(type(error), error, None)  # gives the parts up
            raise
        with _faults(key):
            await _to_its_end(writer.close())
        await self._verify(key, size)

    async def _verify(self, key: str, size: int) -> None:
        """Raises OSError unless so many bytes are there."""
        there = None
        with suppress(FileNotFoundError):
            there = (await self._found(obstore.head_async(self._store, key), key))["size"]
        if there != size:
            raise OSError(errno.EIO, "S3 has not kept what it has taken", key)

    async def _withdraw(self, key: str) -> None:
        """Deletes what a put that failed has perhaps stored; what fails here the sweep finds."""
        with suppress(OSError):
            async with asyncio.timeout(_WITHDRAW_SECONDS):
                await self.delete([key])

    async def _is_there(self, key: str) -> bool:
        try:
            await self._found(obstore.head_async(self._store, key), key)
        except FileNotFoundError:
            return False
        return True

    async def _found(self, request: Awaitable[_A], key: str) -> _A:
        """The answer to a request for one key.

        Raises:
            FileNotFoundError: it has no bytes, and the bucket is there.
        """
        try:
            with _faults(key, absent=errno.ENOENT):
                return await request
        except FileNotFoundError:
            await self.check()  # a bucket that is not there looks the same
            raise

    async def _pages(self, below: str | None = None) -> AsyncGenerator[Sequence[Mapping[str, Any]]]:
        stream = aiter(obstore.list(self._store, below, chunk_size=_PAGE))
        while True:
            with _faults(self._bucket):
                try:
                    page = await anext(stream)
                except StopAsyncIteration:
                    return
            yield page


async def _to_its_end(request: Awaitable[_A]) -> _A:
    """Waits for a request even if the task is cancelled, so that none comes after what follows."""
    running = asyncio.ensure_future(request)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        running.exception()  # nobody else asks for it
        raise


@contextmanager
def _faults(key: str, *, absent: int = errno.ENODEV) -> Iterator[None]:
    """Has obstore's errors be OSErrors that say what is wrong and nothing else.

    Args:
        key: what it is about.
        absent: what it means that S3 has no such thing; ENODEV: the bucket is not there.
    """
    try:
        yield
    except FileNotFoundError:
        raise OSError(absent, _ABSENT[absent], key) from None
    except AlreadyExistsError:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), key) from None
    except (BaseError, OSError) as error:
        number, words = _fault(error)
        raise OSError(number, words, key) from None


def _fault(error: BaseError | OSError) -> tuple[int, str]:
    """The number of an error, one that passes by itself or not, and its words."""
    said = str(error)
    status = found[1] if (found := _STATUS.search(said)) else ""
    code = found[1] if (found := _CODE.search(said)) else f"HTTP {status}"
    if code == _NO_BUCKET:
        return errno.ENODEV, _ABSENT[errno.ENODEV]
    if status in {"401", "403"}:
        return errno.EACCES, f"S3 refuses the credentials ({code})"
    if _REDIRECT in said:
        return errno.EINVAL, "the bucket is in another region"
    if status.startswith("4") and code not in _PASSING:
        return errno.EINVAL, f"S3 refuses the request ({code})"
    return errno.EIO, f"S3 is in trouble ({code})" if status else "S3 does not answer"


def _batches(keys: Iterable[str], size: int) -> Iterator[Sequence[str]]:
    rest = iter(keys)
    while some := tuple(itertools.islice(rest, size)):
        yield some
