"""What answers for the generator and is not it; and pictures to start from, and previews."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from bot.clients import documents
from bot.clients import generator as module
from bot.clients.documents import InitImage
from bot.clients.generator import (
    GeneratorClient,
    GeneratorUnavailable,
    JobRejected,
    UnknownImage,
)
from generator.web.documents import parse_request
from protos.lookalike.db.v1 import db_pb2 as db
from tests.bot.desk import SERVICE_TOKEN, Desk
from tests.generator.stack import serving
from tests.waiting import eventually

ID = "00000000-0000-4000-8000-000000000001"


async def ask(url: str, token: str) -> str:
    client = GeneratorClient(url, token)
    try:
        with pytest.raises(GeneratorUnavailable) as raised:
            await client.get_job(ID)
    finally:
        client.close()
    return str(raised.value)


async def test_another_token_is_not_refused_for_good(desk: Desk) -> None:
    assert "SERVICE_TOKEN" in await ask(desk.settings.generator_url, "another-token-than-its-own")


async def test_another_service_at_its_address(desk: Desk) -> None:
    assert "no generator" in await ask(desk.settings.telegram_api_url, SERVICE_TOKEN)


async def test_nobody_at_its_address() -> None:
    assert await ask("http://127.0.0.1:1", SERVICE_TOKEN) == "ConnectionError"


@pytest.mark.parametrize(
    "content",
    [
        b"<html",
        b'<job xmlns="urn:lookalike:generator:1" state="queued"><position>x</position></job>',
    ],
)
def test_an_answer_that_is_not_its_own(content: bytes) -> None:
    with pytest.raises(documents.NotUnderstood):
        documents.read_job(content)


def test_a_request_has_what_it_starts_from_and_its_proportions() -> None:
    parameters = db.Parameters(prompt="a cat", seed=3)
    init = InitImage("0" * 64, "twin")
    written = documents.write_request(parameters, "me", init=init, aspect=(4032, 3024))
    request = parse_request(written)
    assert request.init_image is not None
    assert (request.init_image.sha256, request.init_image.strength) == ("0" * 64, "twin")
    assert request.aspect is not None
    assert (request.aspect.width, request.aspect.height) == (4032, 3024)
    parameters.height = 512
    sized = parse_request(documents.write_request(parameters, "me", aspect=(4, 3)))
    assert (sized.height, sized.aspect) == (512, None)


@pytest.mark.slow
async def test_a_picture_is_uploaded_only_if_it_must_be(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (120, 90), "teal").save(file, "JPEG")
    data = file.getvalue()
    sha256 = hashlib.sha256(data).hexdigest()
    parameters, init = db.Parameters(prompt="a cat"), InitImage(sha256, "sibling")
    async with serving(tmp_path) as stack:
        token = stack.client.headers["authorization"].removeprefix("Bearer ")
        client = GeneratorClient(f"http://{stack.generator.address}", token)
        try:
            with pytest.raises(UnknownImage):
                await client.submit(ID, parameters, "me", init=init)
            await client.upload(sha256, data, "image/jpeg")
            await client.upload(sha256, data, "image/jpeg")
            job = await client.submit(ID, parameters, "me", init=init)
            assert job.state in {"queued", "running"}
            with pytest.raises(JobRejected, match="checksum-mismatch"):
                await client.upload("0" * 64, data, "image/jpeg")
        finally:
            client.close()


async def test_a_preview_is_what_the_generator_shows_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as stack:
        token = stack.client.headers["authorization"].removeprefix("Bearer ")
        client = GeneratorClient(f"http://{stack.generator.address}", token)
        try:
            assert await client.get_preview(ID) is None  # nobody knows it
            stack.executor.previews = {1: b"\xff\xd8\xff"}
            identity = await stack.put()
            await stack.reach(identity, "running")
            assert await client.get_preview(str(identity)) is None
            stack.executor.step()
            assert await eventually(lambda: client.get_preview(str(identity))) == b"\xff\xd8\xff"
            monkeypatch.setattr(module, "_MOST_PREVIEW_BYTES", 2)
            with pytest.raises(GeneratorUnavailable, match="does not end"):
                await client.get_preview(str(identity))
        finally:
            client.close()
