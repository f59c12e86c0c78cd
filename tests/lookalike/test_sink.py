"""A log that cannot be written holds nobody up, and goes on when it can be written again."""

import fcntl
import os
import re
import resource
import signal
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from lookalike.processes import sink as sinks
from lookalike.processes.lines import Lines
from lookalike.processes.sink import LogSink
from lookalike.processes.stack import Stack
from tests.commands import LOOKALIKE
from tests.stack import create_stack
from tests.waiting import wait_until


@pytest.fixture
def limited() -> Generator[None, None, None]:
    """Files of this process may not grow beyond 64 bytes: a full disk, for whoever writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then it is EFBIG
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.usefixtures("limited")
def test_lines_are_dropped_while_the_disk_is_full_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as file:
        sink = LogSink(file.fileno())
    for number in range(1000):
        sink.write(f"line {number} of this log\n")
    wait_until(lambda: sink._bytes == 0)
    assert path.stat().st_size == 64
    resource.setrlimit(resource.RLIMIT_FSIZE, resource.getrlimit(resource.RLIMIT_FSIZE)[1:] * 2)
    sink.write("and on\n")
    sink.close(10)
    first, second, third, torn, told, last = lines_of(path)
    assert [first, second, third] == [f"line {number} of this log" for number in range(3)]
    assert "line 3 of this log".startswith(torn)
    assert told == "997 lines of this log could not be written and were dropped."
    assert last == "and on"


def test_a_file_that_is_cut_goes_on_at_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("ab") as file:
        sink = LogSink(file.fileno())
    sink.write("before\n")
    wait_until(lambda: path.read_text() == "before\n")
    os.truncate(path, 0)
    sink.write("after\n")
    sink.close(10)
    assert path.read_bytes() == b"after\n"


def test_a_reader_at_rest_holds_nobody_up_and_hears_how_much_it_has_missed() -> None:
    reader, writer = os.pipe()
    sink = LogSink(writer)
    line = "x" * 1023 + "\n"
    most = sinks._MOST_BYTES // len(line)
    for _ in range(2 * most):  # a pipe holds 64 of them
        sink.write(line)
    os.close(writer)
    with os.fdopen(reader, encoding="ascii") as file:
        ended = threading.Thread(target=sink.close, args=(10,))
        ended.start()
        read = file.readlines()
        ended.join()
    told = [re.match(r"(\d+) lines .* were dropped\.$", each) for each in read if each != line]
    assert sum(int(match[1]) for match in told if match) + len(read) - len(told) == 2 * most
    assert len(read) - len(told) >= most


def test_a_reader_that_is_gone_is_no_trouble() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    sink = LogSink(writer)
    os.close(writer)
    for _ in range(10):
        sink.write("nobody reads this\n")
    sink.close(10)
    assert not sink._thread.is_alive()


def test_a_line_without_an_end_comes_in_parts() -> None:
    reader, writer = os.pipe()
    heard: list[str] = []
    with os.fdopen(reader, encoding="ascii") as file:
        lines = Lines(file, heard.append)
        with os.fdopen(writer, "w", encoding="ascii") as out:
            out.write("x" * 1_000_000)
        lines.join(10)
    assert max(map(len, heard)) <= 64 * 1024
    assert sum(map(len, heard)) == 1_000_000


@pytest.mark.slow
def test_a_service_goes_on_and_is_drained_while_its_log_cannot_be_written(tmp_path: Path) -> None:
    with Stack(tmp_path, {}) as stack:
        log = stack.log_file("dbservice")
        log.parent.mkdir()
        log.symlink_to("/dev/full")
        stack.start("dbservice")  # so its lines are read, though none is written
        assert stack.process("dbservice").lines.kept
        assert stack.stop() == {"dbservice": 0}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("gone", [True, False], ids=["gone", "at rest"])
def test_up_runs_on_when_nobody_reads_its_console(tmp_path: Path, *, gone: bool) -> None:
    stack = create_stack(tmp_path, {"TELEGRAM_API_URL": "http://127.0.0.1:9"})
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    if not gone:
        os.set_blocking(writer, False)
        while True:  # it is full from the start
            try:
                os.write(writer, b"\n" * 4096)
            except BlockingIOError:
                break
        os.set_blocking(writer, True)
    with subprocess.Popen(
        [*LOOKALIKE, "up"], env=stack.environment, cwd=tmp_path, stderr=writer
    ) as process:
        os.close(writer)
        if gone:
            os.close(reader)
        wait_until((tmp_path / "generator" / "jobs.db").exists)
        wait_until((tmp_path / "dbservice" / "lookalike.db").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    if not gone:
        os.close(reader)
