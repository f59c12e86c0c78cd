"""Opens the store of bytes that an address names, and looks at it for the doctor."""

import asyncio
import errno
import importlib.util
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from lookalike import checks
from lookalike.blobs import Blobs, new_key
from lookalike.blobs.local import LocalBlobs
from lookalike.checks import Finding, failed, ok, warning
from lookalike.errors import StartError, passes
from lookalike.proxies import proxy_for
from lookalike.settings import LOOPBACK_HOSTS, StorageSettings, bucket_of, folder_of

if TYPE_CHECKING:
    from lookalike.blobs.s3 import S3Blobs

_AWS = "https://s3.amazonaws.com"

_POLICY = "Let the credentials do what the policy in docs/running.md says."
_REMEDIES = {
    errno.ENODEV: "Make the bucket, or name another one.",
    errno.EACCES: _POLICY,
    errno.EINVAL: "Correct AWS_REGION, AWS_ENDPOINT_URL or the address.",
}
_REMEDY = "See that AWS_ENDPOINT_URL is right, that S3 runs, and that there are credentials."


async def open_blobs(url: str, settings: StorageSettings, *, read_only: bool = False) -> Blobs:
    """The store that an address names, for this process.

    Args:
        url: `file:///` and a path, or `s3://` with a bucket and perhaps a prefix.
        settings: how S3 is reached.
        read_only: leaves it to another process, which may store and delete meanwhile.

    Raises:
        StartError: it cannot be used; that it only does not answer is trouble that passes.
    """
    folder = folder_of(url)
    if folder is not None:
        return await asyncio.to_thread(partial(LocalBlobs, folder, read_only=read_only))
    blobs = _s3(url, settings)
    try:
        await blobs.check()
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, _REMEDY)
        raise StartError(f"{url} cannot be used: {error.strerror}. {remedy}") from error
    return blobs


async def check(name: str, url: str, settings: StorageSettings) -> list[Finding]:
    """Whether a store can be used, as a check of the doctor.

    A folder is looked at. In a bucket a few bytes are stored for a moment: nothing else tells.

    Args:
        name: the check's.
        url: the store's address.
        settings: how S3 is reached.
    """
    folder = folder_of(url)
    if folder is not None:
        return [await asyncio.to_thread(checks.folder, name, folder)]
    try:
        blobs = _s3(url, settings)
    except StartError as error:
        return [failed(name, str(error), "Correct it in .env, or install what is missing.")]
    return [await _try_out(name, url, blobs)]


def _s3(url: str, settings: StorageSettings) -> "S3Blobs":
    if importlib.util.find_spec("obstore") is None:
        raise StartError(
            f"{url} needs the package obstore: pip install 'lookalike[s3]', or obstore alone."
        )
    from lookalike.blobs.s3 import Access, S3Blobs

    endpoint = settings.aws_endpoint_url
    proxy_for(endpoint or _AWS)  # refuses one that cannot be used
    given = (
        settings.aws_access_key_id,
        settings.aws_secret_access_key,
        settings.aws_session_token,
    )
    key_id, secret, token = (None if value is None else value.get_secret_value() for value in given)
    direct = urlsplit(endpoint or "").hostname in LOOPBACK_HOSTS
    access = Access(endpoint, settings.aws_region, key_id, secret, token, direct=direct)
    try:
        return S3Blobs(*bucket_of(url), access)
    except ValueError as error:
        raise StartError(f"{url} cannot be used: {error}.") from None


async def _try_out(name: str, url: str, blobs: "S3Blobs") -> Finding:
    key, doing = new_key(uuid4().hex, 0), "listed"
    try:
        await blobs.check()
        doing = "written"
        await blobs.put(key, _probe())
        doing = "read"
        async with aclosing(blobs.open(key)) as parts:
            async for _ in parts:
                pass
        stored = await blobs.stored(key)
        clock = checks.clock_note(stored.at)
        doing = "deleted from"
        await blobs.delete([key])
    except OSError as error:
        return failed(
            name,
            f"{url} cannot be {doing}: {error.strerror}.",
            _REMEDIES.get(error.errno or 0, _REMEDY),
            passes=passes(error),
        )
    if stored.has_version:
        return warning(
            name,
            f"{url} can be used, but the bucket keeps versions: what people delete stays in it.",
            "Suspend versioning, or let a lifecycle rule end old versions: docs/running.md.",
        )
    told = f"{url} can be listed, written, read and deleted from"
    return warning(name, f"{told}{clock}.", checks.NTP) if clock else ok(name, f"{told}.")


async def _probe() -> AsyncIterator[bytes]:
    yield b"Lookalike's doctor was here."
