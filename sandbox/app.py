"""The sandbox's web application."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, PlainTextResponse, Response

from sandbox.botapi.router import router as botapi
from sandbox.origin import SameOrigin
from sandbox.page import add_page
from sandbox.people.acting import router as acting
from sandbox.people.apps import router as apps
from sandbox.people.sharing import router as sharing
from sandbox.people.streaming import router as streaming
from sandbox.people.watching import router as watching
from sandbox.state import Sandbox
from sandbox.telegram.refusals import Refusal

_MAX_BODY_BYTES = 64 * 1024 * 1024  # whatever a route may say


def create_app(sandbox: Sandbox) -> FastAPI:
    """Both sides of a sandbox, the bot's and the people's, and the chat page."""
    app = FastAPI(
        title="Lookalike sandbox",
        openapi_url=None,
        # A variable would turn it on, and it tells of paths, in which the bot's token is.
        telemetry=TelemetryConfig(tracing=False, metrics=False, logs=False, auto_configure=False),
        max_body_size=_MAX_BODY_BYTES,
        exception_handlers={
            ClientDisconnect: _answer_disconnected,
            HTTPException: _answer_error,
            RequestValidationError: _answer_malformed,
        },
    )
    app.state.sandbox = sandbox
    # Against DNS rebinding: no web page elsewhere can make a browser play people here.
    app.add_middleware(SameOrigin)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "::1", "[::1]"]
    )
    app.include_router(botapi)
    app.include_router(acting)
    app.include_router(sharing)
    app.include_router(apps)
    app.include_router(watching)
    app.include_router(streaming)
    add_page(app)
    app.add_api_route("/health/live", _answer_health)
    app.add_api_route("/health/ready", _answer_health)
    return app


async def _answer_health() -> PlainTextResponse:
    """The sandbox is ready as long as it runs."""
    return PlainTextResponse("ready\n")


async def _answer_disconnected(_request: Request, _error: Exception) -> Response:
    """The client went away during its request: nothing has been done, and nobody reads this."""
    return Response(status_code=400)


async def _answer_error(request: Request, error: Exception) -> JSONResponse:
    """What no route answers itself: unknown paths, and errors on the people's side."""
    assert isinstance(error, HTTPException)  # noqa: S101, it is registered for these only
    if request.url.path.startswith("/sandbox/"):
        return JSONResponse({"detail": error.detail}, status_code=error.status_code)
    return JSONResponse(Refusal(404, "Not Found").answer(), status_code=404)


async def _answer_malformed(_request: Request, error: Exception) -> JSONResponse:
    """One sentence, in the form of every other error; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101, it is registered for these only
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"][1:])
    return JSONResponse({"detail": f"{field}: {first['msg']}"}, status_code=422)
