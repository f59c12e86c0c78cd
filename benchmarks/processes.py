"""Systems as processes that take turns, so that the machine's changing pace meets all alike."""

import importlib
import multiprocessing
import os
import re
import time
import traceback
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from unittest import mock

from benchmarks.rows import OURS
from benchmarks.systems import Draw, Drawing, Drawn, Mark, Setup
from lookalike.processes import MALLOC_TUNABLES

_SPAWN = multiprocessing.get_context("spawn")

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Taken:
    """A drawing that was measured.

    Attributes:
        seconds: before each mark, without the time in which others had their turn.
        drawn: what came of it.
        peak: the most memory that the process has had so far, in GiB.
    """

    seconds: list[float]
    drawn: Drawn
    peak: float


class System:
    """A system that is loaded, in its own process.

    Attributes:
        start: seconds for importing what it needs, and seconds for loading after that.
    """

    def __init__(self, name: str, setup: Setup) -> None:
        """Starts the process and waits until it is loaded.

        Args:
            name: of a module in `benchmarks.systems`.
            setup: what it is loaded with.
        """
        self._name = name
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, name, setup), daemon=True)
        # The project starts its generator so, and the others' programs are started as they come.
        with mock.patch.dict(os.environ, MALLOC_TUNABLES if name == OURS else {}):
            self._process.start()
        theirs.close()
        self.start: tuple[float, float] = self._receive()

    def draw(self, drawing: Drawing) -> Generator[None, None, Taken]:
        """Draws; after each mark it yields and waits for its next turn."""
        seconds: list[float] = []
        self._pipe.send(drawing)
        while isinstance(answer := self._receive(), float):
            seconds.append(answer)
            yield
            self._pipe.send(None)
        drawn, peak = answer
        return Taken(seconds, drawn, peak)

    def draw_alone(self, drawing: Drawing) -> Taken:
        """Draws while nobody else does."""
        turns = self.draw(drawing)
        while True:
            try:
                next(turns)
            except StopIteration as end:
                taken: Taken = end.value
                return taken

    def close(self) -> None:
        """Ends the process: it has nobody left to listen to."""
        self._pipe.close()
        self._process.join()

    def _receive(self) -> Any:
        try:
            answer = self._pipe.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            raise RuntimeError(
                f"{self._name} has ended with {code}; -9: for want of memory?"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


def take_turns(runs: Sequence[tuple[int, Generator[None, None, None]]]) -> None:
    """Lets each run go on turn by turn, so that all are equally far at any time.

    Args:
        runs: how many turns each has, at least about, and the run itself.
    """
    going = dict.fromkeys(range(len(runs)), 0)
    while going:
        number = min(going, key=lambda number: going[number] / runs[number][0])
        going[number] += 1
        try:
            next(runs[number][1])
        except StopIteration:
            del going[number]


def isolated(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Calls a function in a process of its own, which gives back all memory that this took."""
    with ProcessPoolExecutor(1, mp_context=_SPAWN) as pool:
        return pool.submit(function, *args, **kwargs).result()


def _serve(connection: Connection, name: str, setup: Setup) -> None:
    """The system's side: loads, then draws whatever it is told to."""
    try:
        began = time.perf_counter()
        module = importlib.import_module(f"benchmarks.systems.{name}")
        imported = time.perf_counter()
        draw: Draw = module.load(setup)
        connection.send((imported - began, time.perf_counter() - imported))
        while True:
            drawing = connection.recv()
            connection.send((draw(drawing, _marking(connection)), _peak()))
    except (EOFError, BrokenPipeError):
        return  # nobody listens any more
    except BaseException:  # noqa: BLE001, whatever it is, the other side says it
        connection.send(RuntimeError(f"{name} failed:\n{traceback.format_exc()}"))


def _marking(connection: Connection) -> Mark:
    began = time.perf_counter()

    def mark(seconds: float | None) -> None:
        nonlocal began
        connection.send(time.perf_counter() - began if seconds is None else seconds)
        connection.recv()
        began = time.perf_counter()

    return mark


def _peak() -> float:
    """The most memory that this process has had, in GiB (the kernel's proc(5), VmHWM)."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    if match is None:
        raise RuntimeError("peak memory is known on Linux only")
    return int(match[1]) / 2**20
