"""dbservice's RPCs: whatever the bytes of a request are, the status is one of the contract's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import grpc
from google.protobuf.message import Message
from pydantic import SecretStr

from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken, Throw
from dbservice.server import running
from dbservice.settings import DbserviceSettings
from dbservice.status import CODES
from protos.lookalike.db.v1 import db_pb2 as db

_TOKEN: Final = "the-token-of-the-fuzzer"
_METADATA: Final = (("authorization", f"Bearer {_TOKEN}"),)
_EXPECTED: Final = frozenset(CODES.values()) - {grpc.StatusCode.UNAVAILABLE}
_SERVICE: Final = db.DESCRIPTOR.services_by_name["DatabaseService"]
_PHOTO: Final = "335c9900-89ac-5e67-9f3f-950b4c77a260"


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Throw]:
    """A dbservice, with the token: without it, nothing is read."""
    settings = DbserviceSettings(
        lookalike_home=folder, dbservice_listen="127.0.0.1:0", service_token=SecretStr(_TOKEN)
    )
    async with (
        running(settings) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):

        async def throw(dice: Random) -> None:
            method = dice.choice(_SERVICE.methods)
            case = mutated(dice, _seeds(method.input_type))
            code = await _call(channel, method, case)
            if code is not None and code not in _EXPECTED:
                raise Broken(f"{method.name} answered {code.name}", case)

        yield throw


async def _call(channel: grpc.aio.Channel, method: Any, case: bytes) -> grpc.StatusCode | None:
    """The status of a call that was refused; None if it was not."""
    path = f"/{_SERVICE.full_name}/{method.name}"
    known: dict[str, Any] = {"metadata": _METADATA, "timeout": 20}
    raw: Any = channel  # without serializers, a channel takes and gives bytes
    try:
        if method.server_streaming:
            async for _ in raw.unary_stream(path)(case, **known):
                pass
        elif method.client_streaming:
            await raw.stream_unary(path)(iter([case, case]), **known)
        else:
            await raw.unary_unary(path)(case, **known)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


def _seeds(descriptor: Any) -> list[bytes]:
    """A request with all that it may hold, and an empty one."""
    message = getattr(db, descriptor.name)()
    _fill(message)
    return [message.SerializeToString(), b""]


def _fill(message: Message) -> None:
    for field in message.DESCRIPTOR.fields:
        value: Any
        if field.is_repeated:
            continue
        if field.message_type is not None:
            getattr(message, field.name).SetInParent()
            _fill(getattr(message, field.name))
            continue
        if field.cpp_type == field.CPPTYPE_STRING:
            is_bytes = field.type == field.TYPE_BYTES
            value = b"bytes" if is_bytes else _PHOTO
        elif field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
            value = 0.5
        elif field.cpp_type == field.CPPTYPE_BOOL:
            value = True
        else:
            value = 1
        setattr(message, field.name, value)
