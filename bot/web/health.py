"""/health/live and /health/ready, for whoever watches over the process."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.readiness import NotReady

Check = Callable[[], NotReady | None]
"""Says why the bot does not do its work just now; None if it does."""


def routes(checks: Sequence[Check]) -> list[Route]:
    """GET and HEAD of both; `lookalike doctor` reads what `/health/ready` says."""

    async def live(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("live\n")

    async def ready(_request: Request) -> PlainTextResponse:
        for check in checks:
            if reason := check():
                return PlainTextResponse(f"not ready: {reason}\n", status_code=503)
        return PlainTextResponse("ready\n")

    return [Route("/health/live", live), Route("/health/ready", ready)]
