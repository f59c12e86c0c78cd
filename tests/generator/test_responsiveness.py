"""The event loop is never blocked: the code cannot, and in effect it is not. After InvokeAI."""

import ast
import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import pytest

import generator
from generator.tasks import (
    BatchTimes,
    CancelToken,
    ModelInfo,
    OnStep,
    Outcome,
    Picture,
    Step,
    Task,
)
from tests.generator.stack import XML, job, serving

pytestmark = pytest.mark.slow

_BLOCKING = {
    "open",
    "sleep",
    "read_bytes",
    "read_text",
    "write_bytes",
    "write_text",
    "unlink",
    "iterdir",
    "mkdir",
    "write_durably",
    "remove_durably",
    "LocalBlobs",
}
_FOLDER = Path(generator.__file__).parent


def _functions(path: Path) -> list[ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text())
    return [node for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)]


def _own(function: ast.AsyncFunctionDef) -> list[ast.AST]:
    """The nodes of a function that run on the loop: those of functions within it may not."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def test_every_route_runs_on_the_loop() -> None:
    """One that waits for a free thread answers late exactly when its answer is wanted."""
    tree = ast.parse((_FOLDER / "web" / "routes.py").read_text())
    routes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any("_router" in ast.dump(decorator) for decorator in node.decorator_list)
    ]
    assert len(routes) >= 9
    assert not [route.name for route in routes if isinstance(route, ast.FunctionDef)]


def _blocks(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    if called.startswith(("asyncio.", "self._blobs.")):
        return False
    return called.rpartition(".")[2] in _BLOCKING


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        ("path.write_bytes(png)", True),
        ("path.read_bytes()", True),
        ("LocalBlobs(folder)", True),
        ("await asyncio.to_thread(path.write_bytes, png)", False),
        ("await asyncio.to_thread(LocalBlobs, folder)", False),
        ("await asyncio.sleep(1)", False),
    ],
)
def test_the_test_below_sees_what_blocks(body: str, *, blocks: bool) -> None:
    (function,) = ast.parse(f"async def f():\n    {body}").body
    assert isinstance(function, ast.AsyncFunctionDef)
    assert any(isinstance(node, ast.Call) and _blocks(node) for node in _own(function)) is blocks


def test_no_coroutine_calls_what_blocks() -> None:
    functions = [function for path in _FOLDER.rglob("*.py") for function in _functions(path)]
    assert len(functions) >= 40
    assert {"_finish", "png", "run"} <= {function.name for function in functions}
    for function in functions:
        for node in _own(function):
            assert not (isinstance(node, ast.Call) and _blocks(node)), function.name


class _Burner:
    """Computes in a thread that holds the interpreter as much as it can."""

    elsewhere = False
    lanes = capacity = 1

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.enough = threading.Event()
        self.burning = asyncio.Event()

    async def load(self) -> ModelInfo:
        return ModelInfo("burner", 64, 64)

    async def measure(self, _sizes: Sequence[int], _token: CancelToken) -> BatchTimes:
        return BatchTimes()

    async def free_memory(self) -> int:
        return 0

    async def run(
        self, tasks: Sequence[Task], on_step: OnStep, _tokens: Sequence[CancelToken]
    ) -> list[Outcome]:
        on_step(Step(0, 1))
        self.burning.set()
        await asyncio.to_thread(self._burn)
        return [Picture(b"png", task.width, task.height) for task in tasks]

    def _burn(self) -> None:
        number = 1
        while not self.enough.is_set():
            number = number * 3 % 1_000_003

    async def close(self) -> None:
        return


async def test_everything_answers_while_a_picture_is_computed(tmp_path: Path) -> None:
    burner = _Burner()
    async with serving(tmp_path, burner) as stack:
        running = await stack.put(job(steps=20))
        await burner.burning.wait()
        try:
            paths = ("/health/live", "/health/ready", f"/v1/jobs/{running}", "/v1/schema.xsd")
            answers = await asyncio.gather(*(stack.client.get(path) for path in paths * 2))
            assert all(answer.status_code == 200 for answer in answers)
            queued = f"/v1/jobs/{uuid4()}"
            put = await stack.client.put(queued, content=job(), headers=XML)
            assert put.status_code == 202
            assert (await stack.client.delete(queued)).status_code == 200
            assert (await stack.get(running)).get("state") == "running"
            assert not burner.enough.is_set()
        finally:
            burner.enough.set()
        await stack.reach(running, "finished")
