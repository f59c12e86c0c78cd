"""What `lookalike up` does about a service that dies, hangs or is unwell, part by part."""

import asyncio
import errno
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lookalike.cli.up import health, supervisor, watchdog
from lookalike.errors import StartError
from tests.waiting import eventually

pytestmark = pytest.mark.slow


class _Dying:
    """A service that ends at once, as `codes` say; an error is raised where it would start."""

    codes: Iterator[int | OSError]
    running = False

    def __init__(self, *_arguments: object, **_options: object) -> None:
        self.code = next(self.codes)
        if isinstance(self.code, OSError):
            raise self.code

    def address(self, _seconds: float | None) -> str:
        raise StartError("it has ended")

    def wait(self) -> int | OSError:
        return self.code

    def ending(self) -> str:
        return "was killed by SIGKILL"

    def failure(self) -> str:
        return "bot: That is enough."


@pytest.mark.parametrize(
    ("good_seconds", "pauses"), [(60.0, [0.01, 0.02, 0.04, 0.04]), (0.0, [0.01] * 4)]
)
async def test_pauses_double_up_to_a_limit_and_start_over_after_a_good_run(
    good_seconds: float,
    pauses: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    no_memory = OSError(errno.ENOMEM, "Cannot allocate memory")
    _Dying.codes = iter([-9, StartError.PASSING_EXIT_CODE, no_memory, -9, StartError.EXIT_CODE])
    changes: dict[str, Any] = {
        "ServiceProcess": _Dying,
        "_FIRST_PAUSE": 0.01,
        "_LONGEST_PAUSE": 0.04,
        "_GOOD_RUN_SECONDS": good_seconds,
    }
    for name, value in changes.items():
        monkeypatch.setattr(supervisor, name, value)
    with pytest.raises(StartError, match=r"^bot: That is enough\.$"):
        await supervisor.Supervisor("bot", print, 0, health.ask_http).run()
    told = [re.search(r"in ([\d.]+) s", message) for message in caplog.messages]
    assert [float(match[1]) for match in told if match] == pauses
    assert "cannot be started (Cannot allocate memory)" in caplog.text


class _Hanging:
    """A service that listens and then hangs until it is killed."""

    running = True

    def __init__(self, *_arguments: object, **_options: object) -> None:
        self.popen = self
        self._killed = threading.Event()

    def address(self, _seconds: float | None) -> str:
        return "127.0.0.1:1"

    def kill(self) -> None:
        self._killed.set()

    def wait(self) -> int:
        assert self._killed.wait(30)
        return StartError.EXIT_CODE  # so that the supervisor ends, too

    def failure(self) -> str:
        return "it was killed"


@pytest.mark.parametrize(("answers", "asked"), [("000", 3), ("0010100011", 8)])
async def test_only_one_that_is_unwell_again_and_again_is_killed(
    answers: str, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ServiceProcess", _Hanging)
    monkeypatch.setattr(supervisor, "_ASK_SECONDS", 0.01)
    given: list[bool] = []

    async def ask(_host: str, _port: int) -> bool:
        given.append(answers[len(given)] == "1")
        return given[-1]

    with pytest.raises(StartError, match="it was killed"):
        await supervisor.Supervisor("bot", print, 0, ask).run()
    assert len(given) == asked


async def test_the_watchdog_starves_when_a_service_neither_works_nor_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ServiceProcess", _Hanging)
    monkeypatch.setattr(supervisor, "_ASK_SECONDS", 0.01)
    monkeypatch.setattr(supervisor, "_SLACK_SECONDS", 0.2)
    monkeypatch.setattr(_Hanging, "kill", lambda _self: None)  # not even that helps
    monkeypatch.setattr(watchdog, "SECONDS", 0.01)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    well = True

    async def ask(_host: str, _port: int) -> bool:
        return well

    service = supervisor.Supervisor("bot", print, 0, ask)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        running = asyncio.create_task(service.run())
        feeding = asyncio.create_task(watchdog.feed(lambda: service.gets_on))
        await service.listening.wait()
        for _ in range(3):
            assert await asyncio.get_running_loop().sock_recv(systemd, 100) == b"WATCHDOG=1"
        well = False

        async def starved() -> bool | None:
            with suppress(BlockingIOError):
                while systemd.recv(100):
                    pass
            return None if service.gets_on else True

        assert await eventually(starved)
        assert service.process is not None
        feeding.cancel()
        running.cancel()
        monkeypatch.undo()
        service.process.kill()
        await asyncio.gather(feeding, running, return_exceptions=True)


@pytest.mark.long
@pytest.mark.parametrize("ask", [health.ask_http, health.ask_grpc])
@pytest.mark.parametrize("kind", ["silent", "nobody", "nonsense", "closes"])
async def test_whoever_does_not_say_that_it_is_well_is_not(
    ask: health.Question, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_SECONDS", 1.0)

    answering: set[asyncio.Task[Any]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())  # type: ignore[arg-type]  # there is one
        if kind == "nonsense":
            writer.write(b"what?\r\n\r\n")
        with suppress(OSError):
            if kind == "silent":
                await reader.read()
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    if kind == "nobody":
        server.close()
    assert not await health.is_alive(ask, f"{host}:{port}")
    server.close()
    await asyncio.gather(*answering)
