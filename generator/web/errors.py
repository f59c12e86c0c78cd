"""The one place where errors become HTTP problems."""

import errno
import logging
from collections.abc import Sequence
from functools import partial, singledispatch
from http import HTTPStatus
from typing import cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match

from generator.jobs import errors
from generator.jobs.errors import Fault, JobError
from generator.jobs.tables import State
from generator.web.http import problem_response
from generator.web.problems import Code, Problem

_STORAGE_RETRY_SECONDS = 30

_FAULTS = {
    Fault.CANNOT_COMPUTE: Code.CANNOT_COMPUTE,
    Fault.GAVE_UP: Code.JOB_FAILED,
    Fault.REFUSED_BY_SAFETY: Code.REFUSED_BY_SAFETY,
    Fault.UNKNOWN_IMAGE: Code.UNKNOWN_IMAGE,
}
"""What the caller of a synchronous call is told of how its job ended."""

_CANCELLED: dict[str | None, str] = {
    None: "The job was deleted while it was waited for.",
    State.CANCELLED: "The job was cancelled while it was waited for.",
}
"""Likewise of a job that it does not wait for any more, by the job's state."""

_log = logging.getLogger(__name__)


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Answers every error with a problem.

    Args:
        app: which answers.
        routes: all that it has.
    """
    app.add_exception_handler(Problem, _answer_problem)
    app.add_exception_handler(JobError, _answer_job_error)
    app.add_exception_handler(HTTPException, partial(_answer_refusal, routes))
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(OSError, _answer_storage_fault)
    app.add_exception_handler(Exception, _answer_fault)


@singledispatch
def problem_of(error: JobError) -> Problem:
    """What a caller is told of an error."""
    raise error


@problem_of.register
def _(error: errors.UnknownJob) -> Problem:
    return Problem(Code.UNKNOWN_JOB, f"There is no job {error.job_id}.")


@problem_of.register
def _(_error: errors.JobConflict) -> Problem:
    return Problem(Code.JOB_CONFLICT, "Choose a new id for a new job.")


@problem_of.register
def _(error: errors.QueueFull) -> Problem:
    detail = f"{error.limit} jobs are unfinished; try again later."
    return Problem(Code.QUEUE_FULL, detail, headers=_retry_after(error.retry_seconds))


@problem_of.register
def _(error: errors.InvalidSize) -> Problem:
    detail = f"The {error.side} {error.pixels} is no multiple of {error.factor}."
    return Problem(Code.INVALID_SIZE, detail)


@problem_of.register
def _(_error: errors.SizeAndAspect) -> Problem:
    return Problem(Code.INVALID_SIZE, "Send an aspect, or width and height.")


@problem_of.register
def _(error: errors.UnknownImage) -> Problem:
    detail = f"Put it to /v1/images/{error.sha256}, and submit the job again."
    return Problem(Code.UNKNOWN_IMAGE, detail)


@problem_of.register
def _(_error: errors.NoSuchImage) -> Problem:
    return Problem(Code.NO_SUCH_IMAGE, "Put it there if a job is to start from it.")


@problem_of.register
def _(_error: errors.ImageInUse) -> Problem:
    return Problem(Code.IMAGE_IN_USE, "Delete it when that job has ended.")


@problem_of.register
def _(_error: errors.ChecksumMismatch) -> Problem:
    return Problem(Code.CHECKSUM_MISMATCH, "The path's last part is the SHA-256 of the body.")


@problem_of.register
def _(error: errors.InvalidImage) -> Problem:
    return Problem(Code.INVALID_IMAGE, error.reason)


@problem_of.register
def _(error: errors.ImageTooLarge) -> Problem:
    return Problem(Code.IMAGE_TOO_LARGE, f"Send one of at most {error.limit:,} pixels.")


@problem_of.register
def _(error: errors.UnknownPreset) -> Problem:
    known = ", ".join(error.known)
    return Problem(Code.UNKNOWN_PRESET, f"There is no preset {error.preset}; there is {known}.")


@problem_of.register
def _(error: errors.PresetUnavailable) -> Problem:
    return Problem(Code.PRESET_UNAVAILABLE, error.reason)


@problem_of.register
def _(error: errors.NoImage) -> Problem:
    return Problem(Code.NO_IMAGE, f"The job is {error.state}.")


@problem_of.register
def _(_error: errors.ImageLost) -> Problem:
    return Problem(Code.NO_IMAGE, "The picture is gone; submit the job again.")


@problem_of.register
def _(error: errors.NoPreview) -> Problem:
    return Problem(Code.NO_PREVIEW, f"The job is {error.state}.")


@problem_of.register
def _(error: errors.JobFailed) -> Problem:
    return Problem(_FAULTS[error.fault], error.message)


@problem_of.register
def _(error: errors.JobCancelled) -> Problem:
    detail = _CANCELLED.get(error.state, "Nobody waits for the job any more.")
    return Problem(Code.JOB_CANCELLED, detail)


@problem_of.register
def _(error: errors.Stopping) -> Problem:
    headers = _retry_after(error.retry_seconds)
    return Problem(Code.STOPPING, "Ask again in a moment.", headers=headers)


def _answer_problem(_request: Request, error: Exception) -> Response:
    return problem_response(cast("Problem", error))


def _answer_job_error(_request: Request, error: Exception) -> Response:
    return problem_response(problem_of(cast("JobError", error)))


def _answer_refusal(routes: Sequence[BaseRoute], request: Request, error: Exception) -> Response:
    """What the framework refuses."""
    refusal = cast("HTTPException", error)
    headers = dict(refusal.headers or {})
    if refusal.status_code == HTTPStatus.NOT_FOUND:
        problem = Problem(Code.NO_SUCH_PATH, "Check the path.", headers=headers)
    elif refusal.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(routes, request)
        problem = Problem(Code.METHOD_NOT_ALLOWED, "See the Allow header.", headers=headers)
    else:
        problem = Problem(Code.BAD_REQUEST, str(refusal.detail), headers=headers)
    return problem_response(problem)


def _allowed(routes: Sequence[BaseRoute], request: Request) -> str:
    """The methods of every route of this path; the framework's answer knows only the first's."""
    methods = {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", ())
    }
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))


def _answer_invalid(_request: Request, _error: Exception) -> Response:
    return problem_response(Problem(Code.INVALID_QUERY, "A parameter is missing or wrong."))


def _answer_storage_fault(_request: Request, error: Exception) -> Response:
    _log.error("The storage failed: %s.", error)
    full = cast("OSError", error).errno in {errno.ENOSPC, errno.EDQUOT}
    code = Code.DISK_FULL if full else Code.STORAGE_FAILED
    headers = _retry_after(_STORAGE_RETRY_SECONDS)
    return problem_response(Problem(code, "Try again later.", headers=headers))


def _answer_fault(_request: Request, _error: Exception) -> Response:
    # Starlette raises the error again after this answer, and uvicorn logs it.
    return problem_response(Problem(Code.INTERNAL_ERROR, "The log says more."))


def _retry_after(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
