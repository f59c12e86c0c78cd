"""/health/live and /health/ready, for whoever watches over the process."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

Check = Callable[[], str | None]
"""Says what is wrong just now; None: nothing."""


def routes(live: Sequence[Check], ready: Sequence[Check], note: Check) -> list[Route]:
    """GET and HEAD of both; `lookalike doctor` reads what `/health/ready` says.

    Args:
        live: what a restart may mend.
        ready: what keeps the bot from its work, whoever is to blame.
        note: what else is to be said of a bot that is ready.
    """
    return [_route("live", live), _route("ready", ready, note)]


def _route(state: str, checks: Sequence[Check], note: Check = lambda: None) -> Route:
    async def answer(_request: Request) -> PlainTextResponse:
        for check in checks:
            if reason := check():
                return PlainTextResponse(f"not {state}: {reason}\n", status_code=503)
        lines = [state, note()]
        return PlainTextResponse("".join(f"{line}\n" for line in lines if line))

    return Route(f"/health/{state}", answer)
