"""Streams that carry bytes: info first, then the chunks that it describes."""

import hashlib
from collections.abc import AsyncIterator
from typing import TypeVar

from dbservice.errors import invalid
from protos.lookalike.db.v1 import db_pb2 as db

_Part = TypeVar("_Part", db.StorePhotoRequest, db.FinalizeGenerationRequest)


async def first(requests: AsyncIterator[_Part]) -> _Part:
    """The message that begins the stream.

    Raises:
        ServiceError: INVALID_ARGUMENT, if it is none with info.
    """
    request = await anext(requests, None)
    if request is None or not request.HasField("info"):
        raise invalid(("info", "must come first"))
    return request


async def verified(requests: AsyncIterator[_Part], image: db.ImageInfo) -> AsyncIterator[bytes]:
    """The chunks that follow the info, as they come.

    Raises:
        ServiceError: INVALID_ARGUMENT, for another message or for bytes that are not the image's.
            It may be known only after the last chunk: whoever takes them must wait for the end.
    """
    size = 0
    digest = hashlib.sha256()
    async for request in requests:
        if not request.HasField("chunk"):
            raise invalid(("chunk", "must follow the info"))
        chunk = request.chunk  # a copy, each time that it is asked for
        size += len(chunk)
        if size > image.size:
            raise invalid(("chunk", "exceeds the size in info"))
        digest.update(chunk)
        yield chunk
    if size < image.size:
        raise invalid(("chunk", "is missing: the bytes are fewer than the size in info"))
    if digest.hexdigest() != image.sha256:
        raise invalid(("chunk", "does not have the sha256 in info"))
