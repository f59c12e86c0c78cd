"""The health checks of the HTTP front."""

import httpx
import pytest

from bot.readiness import NotReady
from bot.web.app import create_app


async def ask(method: str, path: str, *problems: NotReady | None) -> httpx.Response:
    app = create_app([lambda problem=problem: problem for problem in problems])  # type: ignore[misc]
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


async def test_nothing_else_is_there() -> None:
    assert (await ask("GET", "/")).status_code == 404
    assert (await ask("POST", "/health/live")).status_code == 405
