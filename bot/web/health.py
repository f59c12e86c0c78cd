"""/health/live and /health/ready, for whoever watches over the process."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

Check = Callable[[], str | None]
"""Says what is wrong just now; None: nothing."""


def routes(live: Sequence[Check], ready: Sequence[Check]) -> list[Route]:
    """GET and HEAD of both; `lookalike doctor` reads what `/health/ready` says.

    Args:
        live: what a restart may mend.
        ready: what keeps the bot from its work, whoever is to blame.
    """
    return [_route("live", live), _route("ready", ready)]


def _route(state: str, checks: Sequence[Check]) -> Route:
    async def answer(_request: Request) -> PlainTextResponse:
        for check in checks:
            if reason := check():
                return PlainTextResponse(f"not {state}: {reason}\n", status_code=503)
        return PlainTextResponse(f"{state}\n")

    return Route(f"/health/{state}", answer)
