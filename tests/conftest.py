"""For every test."""

import gc
import platform
import random
import re
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from tests import postgresql
    from tests.s3 import S3, Server

_FAST = "not slow and not long and not scale"
_SLOW_MODULE = re.compile(r"^pytestmark = (?:\[[^\]]*|.*)\bslow\b", re.MULTILINE)

_DECODER = "lookalike.imaging.child"
"""A process that takes 0.1 s, for each photo that a test stores."""

_running: list[pytest.Item] = []

# A shell that starts us in the background has us ignore Ctrl-C, and so would what tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The end-to-end tests in the way that is not the default, and some tests out of many."""
    parser.addoption(
        "--by-webhook", action="store_true", help="run the end-to-end tests by a webhook"
    )
    parser.addoption("--sample", type=int, help="run so many of the tests, chosen by --seed")
    parser.addoption("--seed", default="", help="any words; the same ones choose the same tests")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves a sample, where one is asked for, of what marks and names have left."""
    count = config.getoption("sample")
    if count is None or count >= len(items):
        return
    chosen = {*random.Random(config.getoption("seed")).sample(range(len(items)), count)}
    config.hook.pytest_deselected(items=[x for n, x in enumerate(items) if n not in chosen])
    items[:] = [item for number, item in enumerate(items) if number in chosen]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Has what is marked `each_database` run with both."""
    marked = metafunc.definition.get_closest_marker("each_database")
    looks_into_file = metafunc.definition.get_closest_marker("sqlite")
    if "database_url" in metafunc.fixturenames and marked and not looks_into_file:
        other = pytest.param("postgresql", marks=(pytest.mark.slow, pytest.mark.scale))
        metafunc.parametrize("database_url", ("sqlite", other), indirect=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keeps the fast tests fast, and lets no collection of garbage look through all tests' code."""
    gc.collect()
    gc.freeze()
    if session.config.option.markexpr == _FAST and "torch" in sys.modules:
        raise pytest.UsageError("A module that imports PyTorch is not marked slow as a whole.")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves slow modules unread where no slow tests are wanted: PyTorch takes seconds."""
    fast = config.option.markexpr == _FAST and collection_path.suffix == ".py"
    return True if fast and _SLOW_MODULE.search(collection_path.read_text("utf-8")) else None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Keeps the mark `slow` true; see https://docs.python.org/3/library/audit_events.html."""
    if (
        event == "subprocess.Popen"
        and _running
        and not _running[0].get_closest_marker("slow")
        and _DECODER not in arguments[1]
    ):
        raise RuntimeError(f"mark this test slow, since it starts a process: {arguments[1]}")


sys.addaudithook(_watch)

# Python starts a process to find that out and keeps it; whichever test asks first (Azure's client
# does) is not slow for that.
platform.processor()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Says which test runs, with the fixtures that it is the first to need."""
    _running[:] = [item]
    try:
        return (yield)
    finally:
        _running.clear()


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are read from `.env` in the working directory, and from no developer's.

    Nor is it `tmp_path`: processes import from where they start, and a home's folder `generator`
    would hide the package.
    """
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="session")
def server() -> Iterator["postgresql.Server"]:
    """PostgreSQL."""
    from tests import postgresql  # its driver is an extra

    with postgresql.running() as server:
        yield server


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, of the kind that the test is for.

    In PostgreSQL it begins as the `template` of those tests.
    """
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{tmp_path}/rows.db"
        return
    server = request.getfixturevalue("server")
    name = server.create(request.getfixturevalue("template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def _s3_server() -> Iterator["Server"]:
    from tests.s3 import Server  # takes half a second, which others need not wait

    server = Server()
    yield server
    server.stop()


@pytest.fixture
def s3(_s3_server: "Server") -> "S3":
    """A bucket of S3, on loopback."""
    from tests.s3 import S3

    _s3_server.start()
    return S3(_s3_server, f"bucket-{uuid4().hex}")
