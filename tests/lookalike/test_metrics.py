"""The route at which a service is scraped: who may, and what they get."""

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge
from starlette.applications import Starlette

from lookalike import __version__, metrics
from lookalike.imaging import decoder as module
from lookalike.imaging.decoder import Decoder
from lookalike.imaging.refusals import ImageRefused
from tests.metrics import samples

TOKEN = "the-token-between-the-services"


async def ask(
    registry: CollectorRegistry,
    headers: dict[str, str] | None = None,
    *refreshes: metrics.Refresh,
    client: str = "127.0.0.1",
    behind_proxy: bool = False,
) -> httpx.Response:
    route = metrics.route(registry, TOKEN, refreshes, behind_proxy=behind_proxy)
    app = Starlette(routes=[route])
    transport = httpx.ASGITransport(app=app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as asking:
        return await asking.get("/metrics", headers=headers)


async def test_this_machine_needs_no_token_and_learns_the_version() -> None:
    answer = await ask(metrics.create_registry())
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = samples(answer.text)
    assert found[f'lookalike_build_info{{version="{__version__}"}}'] == 1
    assert found["process_resident_memory_bytes"] > 1_000_000


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1"])
async def test_others_need_the_token(client: str) -> None:
    registry = metrics.create_registry()
    refused = await ask(registry, client=client)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "lookalike" not in refused.text
    for wrong in (f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer "):
        assert (await ask(registry, {"Authorization": wrong}, client=client)).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(registry, right, client=client)).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
async def test_a_proxy_on_this_machine_asks_for_others(header: str) -> None:
    answer = await ask(metrics.create_registry(), {header: "192.0.2.1"})
    assert answer.status_code == 401


async def test_where_a_proxy_may_not_say_so_everybody_needs_the_token() -> None:
    registry = metrics.create_registry()
    assert (await ask(registry, behind_proxy=True)).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(registry, right, behind_proxy=True)).status_code == 200


async def test_openmetrics_is_told_where_it_is_asked_for() -> None:
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = await ask(metrics.create_registry(), wanted)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_what_cannot_be_looked_up_keeps_nothing_else_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("looked_up", "x", registry=registry)

    async def refresh() -> None:
        gauge.set(7)

    async def fail() -> None:
        raise RuntimeError("away")

    caplog.set_level("INFO")
    answer = await ask(registry, None, fail, refresh)
    assert samples(answer.text)["looked_up"] == 7
    assert "A figure for /metrics is missing: away" in caplog.text


async def test_what_an_image_was_too_much_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = metrics.create_registry()
    decoder = Decoder(killed=metrics.decoders_killed(registry))
    try:
        with pytest.raises(ImageRefused, match="unsupported-format"):
            await decoder.prepare(b"no image")
        assert samples((await ask(registry)).text)["lookalike_decoders_killed_total"] == 0
        monkeypatch.setattr(module, "WALL_SECONDS", 0.0)
        with pytest.raises(ImageRefused, match="image-too-costly"):
            await decoder.prepare(b"no image")
        assert samples((await ask(registry)).text)["lookalike_decoders_killed_total"] == 1
    finally:
        await decoder.close()
