"""How every process starts and stops."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NoReturn, Protocol, TypeVar

from lookalike import logs, tracing
from lookalike.errors import StartError, passes
from lookalike.files import make_home
from lookalike.proxies import proxy_for
from lookalike.redaction import all_secrets
from lookalike.settings import Settings
from lookalike.waiting import any_of

STOP_WITH_STDIN = "LOOKALIKE_STOP_WITH_STDIN"
"""Set for a child: when its standard input ends, its parent is gone, and it stops."""

STOP_SECONDS = 10.0
"""How long a process may take to stop before it ends at once."""

_FLUSH_SECONDS = 1.0
"""How much of that the export of the last spans may take."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

_log = logging.getLogger(__name__)

_S = TypeVar("_S", bound=Settings)


class Service(Protocol):
    """A service that runs.

    Attributes:
        address: where it listens, `host:port`.
        stop: set when it stops, also by itself.
    """

    @property
    def address(self) -> str: ...  # noqa: D102, above

    @property
    def stop(self) -> asyncio.Event: ...  # noqa: D102, above


Running = Callable[[_S], AbstractAsyncContextManager[Service]]
"""A service's composition root: it runs while the context lasts. Raises StartError."""


@asynccontextmanager
async def together(stop: asyncio.Event, *parts: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs the parts of a service while the context lasts; each ends when `stop` is set.

    It is set at the context's end, and as soon as one of them ends, so that all end together. What
    a part raised is raised at the context's end.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    for task in tasks:
        task.add_done_callback(lambda _task: stop.set())
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait(tasks)
    for task in tasks:
        task.result()


def serve(name: str, settings: type[_S], running: Running[_S]) -> NoReturn:
    """Runs a service as a process; see `run`."""

    async def main(loaded: _S, stop: asyncio.Event) -> None:
        tracing.begin(name, proxy_for)
        try:
            async with running(loaded) as service:
                logging.getLogger(name).info("Listening on %s.", service.address)
                await any_of(stop, service.stop)
        finally:
            tracing.end(_FLUSH_SECONDS)

    run(name, settings, main)


def run(
    name: str, settings: type[_S], main: Callable[[_S, asyncio.Event], Awaitable[None]]
) -> NoReturn:
    """Runs a process until it ends, and exits.

    `main` gets the settings and an event that is set when the process is asked to stop (SIGTERM,
    SIGINT, or the end of standard input where `STOP_WITH_STDIN` is set). A StartError is printed
    as one sentence, and the exit code is its own. So is trouble that passes.

    Args:
        name: the process, as it is called in logs and sentences.
        settings: what it is told.
        main: what it does.
    """
    os.umask(0o077)  # what it writes is its owner's alone
    try:
        loaded = settings.load()
        make_home(loaded.lookalike_home)
        logs.configure(name, all_secrets(loaded.secrets()), loaded.lookalike_log)
        threading.excepthook = _log_thread
        try:
            asyncio.run(_supervise(loaded, main))
        finally:
            for number in _STOP_SIGNALS:  # the interpreter's end takes other handlers away
                signal.signal(number, signal.SIG_IGN)
    except StartError as error:
        end(name, error)
    except Exception as error:  # noqa: BLE001, as the comment says
        if passes(error):
            _end(name, f"{_reason(error)}.", StartError.PASSING_EXIT_CODE)
        # If it were left to the interpreter, its traceback would bypass the redaction.
        _log.exception("The %s has a fault and ends", name)
        sys.exit(1)
    sys.exit(0)


def end(name: str, error: StartError) -> NoReturn:
    """Prints why a process cannot run, and exits."""
    _end(name, str(error), error.exit_code)


def _end(name: str, sentence: str, code: int) -> NoReturn:
    with contextlib.suppress(OSError):  # on a full disk there may be no room for the sentence
        print(f"lookalike {name}: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
    sys.exit(code)


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "There is not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error).rstrip(".")


def _log_thread(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_value is not None:
        _log.error("A thread has a fault and ends", exc_info=fault.exc_value)


async def _supervise(settings: _S, main: Callable[[_S, asyncio.Event], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def request_stop() -> None:
        if not stop.is_set():
            stop.set()
            _exit_after(STOP_SECONDS)

    def on_signal(_number: int, _frame: object) -> None:
        for number in _STOP_SIGNALS:  # to be asked again and again leaves no time to stop
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending anyway
            loop.call_soon_threadsafe(request_stop)

    for number in _STOP_SIGNALS:
        # Not the loop's own handlers, which are gone with the loop: asked to stop a second time in
        # its last moments, the process would die of the signal.
        signal.signal(number, on_signal)
    if os.environ.get(STOP_WITH_STDIN):

        def watch() -> None:
            # Not through sys.stdin: its lock, held by this thread, would break the exit.
            while os.read(0, 1024):
                pass
            loop.call_soon_threadsafe(request_stop)

        threading.Thread(target=watch, name="parent-watch", daemon=True).start()
    await main(settings, stop)


def _exit_after(seconds: float) -> None:
    """Ends the process at once should the clean stop hang, even if the event loop is stuck."""

    def end() -> None:
        _log.error("Stopping took more than %g s; ending at once.", seconds)
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


def bind(listen: str, setting: str) -> socket.socket:
    """Binds a TCP socket to `host:port`.

    Args:
        listen: `host:port`; port 0 takes any free one.
        setting: the variable's name, for the error.

    Raises:
        StartError: the port is taken or the address is not this machine's.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only with the protocol named does asyncio set TCP_NODELAY; else each answer takes 40 ms more.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, int(port)))
        bound.listen(1024)  # so that a second process is refused at its bind
    except OSError as error:
        bound.close()
        reason = error.strerror or error
        raise StartError(f"{setting}: cannot listen on {listen}: {reason}.") from None
    bound.setblocking(False)
    return bound


def address_of(bound: socket.socket) -> str:
    """The `host:port` of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
