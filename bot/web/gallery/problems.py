"""Why a request is refused, as the page reads it (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot import texts
from bot.clients.errors import DatabaseUnavailable, InvalidRequest, NotFound, NotOwner

STATUSES: Final[Mapping[str, HTTPStatus]] = {
    "no-init-data": HTTPStatus.UNAUTHORIZED,
    "bad-init-data": HTTPStatus.UNAUTHORIZED,
    "expired": HTTPStatus.UNAUTHORIZED,
    "not-allowed": HTTPStatus.FORBIDDEN,
    "not-found": HTTPStatus.NOT_FOUND,
    "invalid": HTTPStatus.BAD_REQUEST,
    "unfinished": HTTPStatus.CONFLICT,
    "not-shareable": HTTPStatus.CONFLICT,
    "refused": HTTPStatus.TOO_MANY_REQUESTS,
    "unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""All codes; docs/errors.md explains each."""


class Problem(Exception):
    """A request is refused; the text is for its user.

    Attributes:
        code: one of `STATUSES`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


async def tell(_request: Request, error: Exception) -> Response:
    """The answer to a request that is refused."""
    problem = error if isinstance(error, Problem) else _of(error)
    status = STATUSES[problem.code]
    return JSONResponse(
        {"status": status, "code": problem.code, "detail": str(problem)},
        status,
        {"Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


def _of(error: Exception) -> Problem:
    """What has no words of its own, in English: the page has some for each code."""
    said = texts.of(None)
    if isinstance(error, NotFound | NotOwner):  # whose it is, is nobody else's business
        return Problem("not-found", said.gallery.gone)
    if isinstance(error, InvalidRequest):
        return Problem("invalid", said.gallery.gone)
    assert isinstance(error, DatabaseUnavailable)  # noqa: S101, it is registered for these only
    return Problem("unavailable", said.database_unavailable)
