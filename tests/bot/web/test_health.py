"""The health checks of the HTTP front."""

import httpx
import pytest

from bot.readiness import NotReady, Stuck
from bot.web.app import create_app
from bot.web.health import Check


async def ask(method: str, path: str, *problems: NotReady | Stuck | None) -> httpx.Response:
    def checks(kind: type) -> list[Check]:
        found = [problem for problem in problems if problem is None or isinstance(problem, kind)]
        return [lambda problem=problem: problem for problem in found]  # type: ignore[misc]

    app = create_app(live=checks(Stuck), ready=checks(NotReady))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        return await client.request(method, path)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_all_is_well(path: str) -> None:
    answer = await ask("GET", path, None, None)
    assert (answer.status_code, answer.text) == (200, f"{path.rpartition('/')[2]}\n")
    head = await ask("HEAD", path, None)
    assert (head.status_code, head.content) == (200, b"")


async def test_the_first_reason_is_told() -> None:
    reasons = (None, NotReady.POLLING_CONFLICT, NotReady.DATABASE_SILENT)
    answer = await ask("GET", "/health/ready", *reasons)
    assert answer.status_code == 503
    assert answer.text == "not ready: another program polls with this token\n"
    assert (await ask("HEAD", "/health/ready", *reasons)).status_code == 503
    assert (await ask("GET", "/health/live", *reasons)).status_code == 200


async def test_what_is_stuck_does_not_live_and_says_so() -> None:
    answer = await ask("GET", "/health/live", None, Stuck.TICK)
    assert answer.status_code == 503
    assert answer.text == "not live: no tick has begun or ended in time\n"
    assert (await ask("GET", "/health/ready", None, Stuck.TICK)).status_code == 200


async def test_nothing_else_is_there() -> None:
    assert (await ask("GET", "/")).status_code == 404
    assert (await ask("POST", "/health/live")).status_code == 405
