"""The route at which a service is scraped: who may, and what they get."""

import asyncio
from collections import Counter

import httpx
import pytest
from prometheus_client.core import Metric
from starlette.applications import Starlette

from lookalike import __version__
from lookalike import metrics as module_of_metrics
from lookalike.imaging import decoder as module
from lookalike.imaging.decoder import Decoder
from lookalike.imaging.refusals import ImageRefused
from lookalike.metrics import Metrics, decoders_killed, gauge
from tests.metrics import samples

TOKEN = "the-token-between-the-services"


async def ask(
    metrics: Metrics,
    headers: dict[str, str] | None = None,
    *,
    client: str = "127.0.0.1",
    host: str = "127.0.0.1",
    behind_proxy: bool = False,
) -> httpx.Response:
    app = Starlette(routes=[metrics.route(TOKEN, behind_proxy=behind_proxy)])
    transport = httpx.ASGITransport(app=app, client=(client, 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}:5003") as asking:
        return await asking.get("/metrics", headers=headers)


async def test_this_machine_needs_no_token_and_learns_the_version() -> None:
    answer = await ask(Metrics())
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    found = samples(answer.text)
    assert found[f'lookalike_build_info{{version="{__version__}"}}'] == 1
    assert found["process_resident_memory_bytes"] > 1_000_000


@pytest.mark.parametrize("client", ["192.0.2.1", "2001:db8::1"])
async def test_others_need_the_token(client: str) -> None:
    metrics = Metrics()
    refused = await ask(metrics, client=client)
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "lookalike" not in refused.text
    for wrong in (f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer "):
        assert (await ask(metrics, {"Authorization": wrong}, client=client)).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(metrics, right, client=client)).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
async def test_a_proxy_on_this_machine_asks_for_others(header: str) -> None:
    answer = await ask(Metrics(), {header: "192.0.2.1"})
    assert answer.status_code == 401


async def test_where_a_proxy_may_not_say_so_everybody_needs_the_token() -> None:
    metrics = Metrics()
    assert (await ask(metrics, behind_proxy=True)).status_code == 401
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert (await ask(metrics, right, behind_proxy=True)).status_code == 200


async def test_openmetrics_is_told_where_it_is_asked_for() -> None:
    wanted = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = await ask(Metrics(), wanted)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


@pytest.mark.parametrize("host", ["localhost", "[::1]"])
async def test_this_machine_is_asked_by_its_own_names(host: str) -> None:
    assert (await ask(Metrics(), host=host)).status_code == 200


async def test_a_page_whose_name_leads_here_needs_the_token() -> None:
    assert (await ask(Metrics(), host="somebody.example")).status_code == 401


def looked_up(value: float) -> list[Metric]:
    return [gauge("looked_up", "x", value)]


async def test_what_cannot_be_looked_up_is_missing_and_keeps_nothing_else_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    metrics, away = Metrics(), [False]

    async def find() -> list[Metric]:
        if away[0]:
            raise RuntimeError("away")
        return [gauge("may_be_away", "x", {"a": 1, "b": 2}, "of")]

    async def find_other() -> list[Metric]:
        return looked_up(7)

    metrics.look_up(find)
    metrics.look_up(find_other)
    caplog.set_level("INFO")
    found = samples((await ask(metrics)).text)
    assert found['lookalike_may_be_away{of="b"}'] == 2
    away[0] = True
    for _ in range(2):  # what it was is not told: it would look like news
        found = samples((await ask(metrics)).text)
        assert found["lookalike_looked_up"] == 7
        assert not any("away" in name for name in found)
    assert caplog.text.count("A figure for /metrics is missing: away") == 1
    away[0] = False
    assert samples((await ask(metrics)).text)['lookalike_may_be_away{of="a"}'] == 1


async def test_what_hangs_is_not_asked_again_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_of_metrics, "_LOOK_SECONDS", 0.01)
    metrics, asked, answered = Metrics(), Counter[str](), asyncio.Event()

    async def find() -> list[Metric]:
        asked["find"] += 1
        await answered.wait()
        return looked_up(asked["find"])

    metrics.look_up(find)
    for _ in range(3):
        assert "lookalike_looked_up" not in samples((await ask(metrics)).text)
    answered.set()
    found = [samples((await ask(metrics)).text)["lookalike_looked_up"] for _ in range(2)]
    assert found == [1, 2]


async def test_what_is_good_enough_is_not_looked_up_again() -> None:
    metrics, asked = Metrics(), Counter[str]()

    async def find() -> list[Metric]:
        asked["find"] += 1
        return looked_up(asked["find"])

    metrics.look_up(find, 60)
    found = [samples((await ask(metrics)).text)["lookalike_looked_up"] for _ in range(2)]
    assert found == [1, 1]


async def test_what_an_image_was_too_much_for_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = Metrics()
    decoder = Decoder(killed=decoders_killed(metrics.registry))
    try:
        with pytest.raises(ImageRefused, match="unsupported-format"):
            await decoder.prepare(b"no image")
        assert samples((await ask(metrics)).text)["lookalike_decoders_killed_total"] == 0
        monkeypatch.setattr(module, "WALL_SECONDS", 0.0)
        with pytest.raises(ImageRefused, match="image-too-costly"):
            await decoder.prepare(b"no image")
        assert samples((await ask(metrics)).text)["lookalike_decoders_killed_total"] == 1
    finally:
        await decoder.close()
