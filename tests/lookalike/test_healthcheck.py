"""The health check of a container asks where the service was told to listen."""

import asyncio
from pathlib import Path

import pytest

from lookalike.cli import healthcheck


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    writer.close()


@pytest.mark.parametrize("where", ["the environment", ".env"])
async def test_it_asks_at_the_address_of_the_settings(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOT_LISTEN", "")
    async with await asyncio.start_server(_answer, "127.0.0.1", 0) as server:
        address = f"0.0.0.0:{server.sockets[0].getsockname()[1]}"
        if where == ".env":
            Path(".env").write_text(f"BOT_LISTEN={address}\n")
        else:
            Path(".env").write_text("BOT_LISTEN=127.0.0.1:9\n")
            monkeypatch.setenv("BOT_LISTEN", address)
        assert await healthcheck.main("bot") == 0
    assert await healthcheck.main("bot") == 1
