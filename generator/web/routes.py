"""The routes. They map HTTP to the service and back, and nothing else."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.telemetry import TelemetryConfig
from starlette.background import BackgroundTask
from starlette.routing import Route

from generator.images import Images
from generator.jobs.tables import UNFINISHED
from generator.scheduling.progress import Progress
from generator.scheduling.watchdog import Watchdog
from generator.service import Service
from generator.synchronous import SynchronousCalls
from generator.web import documents, errors
from generator.web.http import (
    XML_TYPES,
    Authentication,
    entity_tag,
    image_body,
    negotiate,
    not_modified,
    parse_id,
    parse_ids,
    parse_sha256,
    xml_body,
)
from generator.web.problems import Code, Problem
from generator.web.traces import Traced
from lookalike import tracing

_PNG = "image/png"
_JPEG = "image/jpeg"
_MAX_STATES = 200
_OPEN_PATHS = frozenset({"/v1/schema.xsd", "/health/live", "/health/ready"})
"""And those of routes that decide themselves."""
_RETRY = {"Retry-After": "2"}
_FRESH = {"Cache-Control": "no-cache"}
_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}

_router = APIRouter()


@dataclass(frozen=True)
class Parts:
    """What answers requests.

    Attributes:
        service: the jobs.
        calls: requests that wait for their jobs.
        images: that jobs start from.
        folder: for bodies that are too large for memory.
        progress: of the computation.
        watchdog: knows whether something hangs.
    """

    service: Service
    calls: SynchronousCalls
    images: Images
    folder: Path
    progress: Progress
    watchdog: Watchdog


def create_app(parts: Parts, token: str, others: Sequence[Route] = ()) -> FastAPI:
    """The web service as an ASGI application.

    Args:
        parts: what answers.
        token: the bearer token to ask for.
        others: what else is served; each of them decides itself who may ask.
    """
    # The schema describes this service; OpenAPI has nothing to add to it. Nor has its telemetry,
    # which a variable turns on: it tells of URLs, and of what exceptions say.
    no_telemetry = TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False)
    app = FastAPI(openapi_url=None, redirect_slashes=False, telemetry=no_telemetry)
    app.state.parts = parts
    open_paths = _OPEN_PATHS | {each.path for each in others}
    if tracing.is_on():
        app.add_middleware(Traced, open_paths=open_paths)
    app.add_middleware(Authentication, token=token, open_paths=open_paths)
    app.include_router(_router)
    app.routes.extend(others)
    errors.install(app, [*_router.routes, *others])
    return app


@_router.put("/v1/jobs/{job_id}")
async def submit(request: Request, job_id: str) -> Response:
    """Puts a job into the queue; the same job again changes nothing."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    wanted = documents.parse_request(*await xml_body(request))
    state = await _parts(request).service.submit(identity, wanted)
    headers = {"Location": f"/v1/jobs/{identity}", **_RETRY}
    return _xml(documents.write_job(state), media_type, headers, status=202)


@_router.get("/v1/jobs/{job_id}")
async def read(request: Request, job_id: str) -> Response:
    """One state."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    state = await _parts(request).service.state(identity)
    content = documents.write_job(state)
    headers = {"ETag": entity_tag(content), **_FRESH}
    if state.state in UNFINISHED:
        headers |= _RETRY
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return _xml(content, media_type, headers)


@_router.get("/v1/jobs")
async def read_many(request: Request) -> Response:
    """Many states in one answer."""
    media_type = negotiate(request, XML_TYPES)
    identities = parse_ids(request.query_params.getlist("id"), _MAX_STATES)
    states = await _parts(request).service.states(identities)
    return _xml(documents.write_jobs(states), media_type, _FRESH)


@_router.get("/v1/jobs/{job_id}/image")
async def read_image(request: Request, job_id: str) -> Response:
    """The picture of a finished job."""
    identity = parse_id(job_id)
    media_type = negotiate(request, (_PNG,))
    service = _parts(request).service
    job = await service.finished(identity)
    headers = {"ETag": f'"{job.image_sha256}"', **_IMMUTABLE}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(await service.png(job), headers=headers, media_type=media_type)


@_router.get("/v1/jobs/{job_id}/preview")
async def read_preview(request: Request, job_id: str) -> Response:
    """Where a running job is, as a small picture."""
    identity = parse_id(job_id)
    media_type = negotiate(request, (_JPEG,))
    preview = await _parts(request).service.preview(identity)
    headers = {"ETag": entity_tag(preview), "Cache-Control": "no-store"}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(preview, headers=headers, media_type=media_type)


@_router.delete("/v1/jobs/{job_id}")
async def cancel_or_delete(request: Request, job_id: str) -> Response:
    """Cancels, or deletes what has ended."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    cancelled = await _parts(request).service.cancel_or_delete(identity)
    if cancelled is None:
        return Response(status_code=204)
    return _xml(documents.write_job(cancelled), media_type)


@_router.put("/v1/images/{sha256}")
async def upload(request: Request, sha256: str) -> Response:
    """Takes a picture to start from; the same again is the same."""
    checksum = parse_sha256(sha256)
    parts = _parts(request)
    async with image_body(request, parts.folder) as file:
        new = await parts.images.put(checksum, file)
    headers = {"Location": f"/v1/images/{checksum}"} if new else None
    return Response(status_code=201 if new else 200, headers=headers)


@_router.get("/v1/images/{sha256}")
async def find_upload(request: Request, sha256: str) -> Response:
    """Whether a picture to start from is there. HEAD asks for that; there is nothing to fetch."""
    await _parts(request).images.check(parse_sha256(sha256))
    return Response(headers=_FRESH)


@_router.delete("/v1/images/{sha256}")
async def delete_upload(request: Request, sha256: str) -> Response:
    """Deletes a picture to start from."""
    await _parts(request).images.delete(parse_sha256(sha256))
    return Response(status_code=204)


@_router.post("/generate_image")
async def generate_image(request: Request) -> Response:
    """A job in, and when it is done its picture."""
    media_type = negotiate(request, (*XML_TYPES, _PNG))
    wanted = documents.parse_request(*await xml_body(request))
    calls = _parts(request).calls
    with _watching(request) as gone:
        state, png = await calls.generate(wanted, gone)
    if media_type == _PNG:
        answer = Response(png, headers={"Vary": "Accept"}, media_type=media_type)
    else:
        answer = _xml(documents.write_job(state), media_type)
    answer.background = BackgroundTask(calls.cancel_and_delete, state.id)
    return answer


@_router.get("/v1/schema.xsd")
async def read_schema() -> Response:
    """The documents' schema."""
    return Response(documents.SCHEMA, media_type="application/xml")


@_router.get("/health/live")
async def live(request: Request) -> Response:
    """Whether the process is worth keeping."""
    if (hanging := _parts(request).watchdog.hanging) is not None:
        raise Problem(Code.STUCK, f"This hangs: {hanging.what}. Restart the process.")
    return Response("ok\n", media_type="text/plain")


@_router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether the model is loaded."""
    if _parts(request).progress.model is None:
        raise Problem(Code.NOT_READY, "Jobs are taken already.", headers=_RETRY)
    return Response("ok\n", media_type="text/plain")


def _parts(request: Request) -> Parts:
    return cast("Parts", request.app.state.parts)


def _xml(
    content: bytes, media_type: str, headers: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    return Response(
        content,
        status_code=status,
        headers={"Vary": "Accept", **(headers or {})},
        media_type=media_type,
    )


@contextmanager
def _watching(request: Request) -> Generator[asyncio.Event, None, None]:
    """An event that is set when the caller goes away."""
    gone = asyncio.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone.set()

    watching = asyncio.create_task(watch())
    try:
        yield gone
    finally:
        watching.cancel()
