"""The routes. They map HTTP to the service and back, and nothing else."""

import asyncio
import errno
import logging
from http import HTTPStatus
from typing import cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.routing import Match

from generator import documents
from generator.exchange import (
    XML_TYPES,
    Authentication,
    entity_tag,
    negotiate,
    not_modified,
    parse_id,
    parse_ids,
    problem_response,
    xml_body,
)
from generator.problems import Code, Problem
from generator.service import Service
from generator.tables import UNFINISHED

_PNG = "image/png"
_JPEG = "image/jpeg"
_MAX_STATES = 200
_OPEN_PATHS = frozenset({"/v1/schema.xsd", "/health/live", "/health/ready"})
_RETRY = {"Retry-After": "2"}
_FRESH = {"Cache-Control": "no-cache"}
_IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}

_log = logging.getLogger(__name__)
_router = APIRouter()


def create_app(service: Service, token: str) -> FastAPI:
    """The web service as an ASGI application.

    Args:
        service: what answers.
        token: the bearer token to ask for.
    """
    # The schema describes this service; OpenAPI has nothing to add to it.
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.state.service = service
    app.add_middleware(Authentication, token=token, open_paths=_OPEN_PATHS)
    app.include_router(_router)
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(HTTPException, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(OSError, _answer_storage_fault)
    app.add_exception_handler(Exception, _answer_fault)
    return app


@_router.put("/v1/jobs/{job_id}")
async def submit(request: Request, job_id: str) -> Response:
    """Puts a job in line; again is the same."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    wanted = documents.parse_request(*await xml_body(request))
    state = await _service(request).submit(identity, wanted)
    headers = {"Location": f"/v1/jobs/{identity}", **_RETRY}
    return _xml(documents.write_job(state), media_type, headers, status=202)


@_router.get("/v1/jobs/{job_id}")
async def read(request: Request, job_id: str) -> Response:
    """One state."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    state = await _service(request).state(identity)
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
    states = await _service(request).states(identities)
    return _xml(documents.write_jobs(states), media_type, _FRESH)


@_router.api_route("/v1/jobs/{job_id}/image", methods=["GET", "HEAD"])
async def read_image(request: Request, job_id: str) -> Response:
    """The picture of a finished job."""
    identity = parse_id(job_id)
    media_type = negotiate(request, (_PNG,))
    service = _service(request)
    job = await service.image(identity)
    headers = {"ETag": f'"{job.sha256}"', **_IMMUTABLE}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(await service.png(job), headers=headers, media_type=media_type)


@_router.api_route("/v1/jobs/{job_id}/preview", methods=["GET", "HEAD"])
async def read_preview(request: Request, job_id: str) -> Response:
    """Where a running job is, as a small picture."""
    identity = parse_id(job_id)
    media_type = negotiate(request, (_JPEG,))
    preview = await _service(request).preview(identity)
    headers = {"ETag": entity_tag(preview), "Cache-Control": "no-store"}
    if not_modified(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(preview, headers=headers, media_type=media_type)


@_router.delete("/v1/jobs/{job_id}")
async def withdraw(request: Request, job_id: str) -> Response:
    """Cancels, or removes what has ended."""
    identity = parse_id(job_id)
    media_type = negotiate(request, XML_TYPES)
    cancelled = await _service(request).withdraw(identity)
    if cancelled is None:
        return Response(status_code=204)
    return _xml(documents.write_job(cancelled), media_type)


@_router.post("/generate_image")
async def generate_image(request: Request) -> Response:
    """A job in, and when it is done its picture."""
    media_type = negotiate(request, (*XML_TYPES, _PNG))
    wanted = documents.parse_request(*await xml_body(request))
    gone = asyncio.Event()
    watch = asyncio.create_task(_watch_disconnect(request, gone))
    try:
        state, png = await _service(request).paint(wanted, gone)
    finally:
        watch.cancel()
    if media_type == _PNG:
        answer = Response(png, headers={"Vary": "Accept"}, media_type=media_type)
    else:
        answer = _xml(documents.write_job(state), media_type)
    answer.background = BackgroundTask(_service(request).clear, state.id)
    return answer


@_router.get("/v1/schema.xsd")
async def read_schema() -> Response:
    """The documents' schema."""
    return Response(documents.SCHEMA, media_type="application/xml")


@_router.get("/health/live")
async def live(request: Request) -> Response:
    """Whether the process is worth keeping."""
    if _service(request).worker.stuck:
        raise Problem(Code.STUCK, "Start the process anew.")
    return Response("ok\n", media_type="text/plain")


@_router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether the model is loaded."""
    if _service(request).worker.model is None:
        raise Problem(Code.NOT_READY, "Jobs are taken already.", headers=_RETRY)
    return Response("ok\n", media_type="text/plain")


def _service(request: Request) -> Service:
    return cast("Service", request.app.state.service)


def _xml(
    content: bytes, media_type: str, headers: dict[str, str] | None = None, *, status: int = 200
) -> Response:
    return Response(
        content,
        status_code=status,
        headers={"Vary": "Accept", **(headers or {})},
        media_type=media_type,
    )


async def _watch_disconnect(request: Request, gone: asyncio.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _answer_problem(_request: Request, error: Exception) -> Response:
    return problem_response(cast("Problem", error))


def _answer_refusal(request: Request, error: Exception) -> Response:
    """What the framework refuses."""
    refusal = cast("HTTPException", error)
    headers = dict(refusal.headers or {})
    if refusal.status_code == HTTPStatus.NOT_FOUND:
        problem = Problem(Code.NO_SUCH_PATH, "Check the path.", headers=headers)
    elif refusal.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
        problem = Problem(Code.METHOD_NOT_ALLOWED, "See the Allow header.", headers=headers)
    else:
        problem = Problem(Code.BAD_REQUEST, str(refusal.detail), headers=headers)
    return problem_response(problem)


def _allowed(request: Request) -> str:
    """The methods of every route of this path; the framework's answer knows only the first's."""
    return ", ".join(
        sorted(
            method
            for route in _router.routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in getattr(route, "methods", ())
        )
    )


def _answer_invalid(_request: Request, _error: Exception) -> Response:
    return problem_response(Problem(Code.INVALID_QUERY, "A parameter is missing or wrong."))


def _answer_storage_fault(_request: Request, error: Exception) -> Response:
    _log.error("The storage failed: %s.", error)
    full = cast("OSError", error).errno in {errno.ENOSPC, errno.EDQUOT}
    code = Code.DISK_FULL if full else Code.STORAGE_FAILED
    return problem_response(Problem(code, "Try again later.", headers={"Retry-After": "30"}))


def _answer_fault(_request: Request, _error: Exception) -> Response:
    # Starlette raises the error again after this answer, and uvicorn logs it.
    return problem_response(Problem(Code.INTERNAL_ERROR, "The log says more."))
