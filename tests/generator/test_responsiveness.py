"""The event loop is never blocked: the code cannot, and in effect it is not. After InvokeAI."""

import ast
import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from generator import app
from generator.executors.base import ModelInfo, Picture, Task
from tests.generator.house import XML, house, job

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
}
_FOLDER = Path(app.__file__).parent


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


def test_no_route_is_async_without_awaiting() -> None:
    routes = [
        function
        for function in _functions(_FOLDER / "app.py")
        if any("_router" in ast.dump(decorator) for decorator in function.decorator_list)
    ]
    assert len(routes) >= 6
    for route in routes:
        assert any(isinstance(node, ast.Await) for node in _own(route)), route.name


def test_no_coroutine_calls_what_blocks() -> None:
    functions = [function for path in _FOLDER.glob("*.py") for function in _functions(path)]
    assert len(functions) >= 40
    for function in functions:
        for node in _own(function):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                allowed = called.startswith("asyncio.")
                assert allowed or called.rpartition(".")[2] not in _BLOCKING, function.name


class _Burner:
    """Computes in a thread that holds the interpreter as much as it can."""

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.burning = asyncio.Event()

    async def load(self) -> ModelInfo:
        return ModelInfo("burner", 64, 64)

    async def run(
        self, task: Task, on_step: Callable[[int], None], _cancelled: threading.Event
    ) -> Picture:
        on_step(1)
        self.burning.set()
        await asyncio.to_thread(self._burn)
        return Picture(b"png", task.width, task.height)

    def _burn(self) -> None:
        number = 1
        while not self.enough.is_set():
            number = number * 3 % 1_000_003

    async def close(self) -> None:
        return


async def test_everything_answers_while_a_picture_is_computed(tmp_path: Path) -> None:
    burner = _Burner()
    async with house(tmp_path, burner) as home:
        running = await home.put(job(steps=150))
        await burner.burning.wait()
        try:
            paths = ("/health/live", "/health/ready", f"/v1/jobs/{running}", "/v1/schema.xsd")
            answers = await asyncio.gather(*(home.client.get(path) for path in paths * 5))
            assert all(answer.status_code == 200 for answer in answers)
            queued = f"/v1/jobs/{uuid4()}"
            put = await home.client.put(queued, content=job(), headers=XML)
            assert put.status_code == 202
            assert (await home.client.delete(queued)).status_code == 200
            assert (await home.get(running)).get("state") == "running"
            assert not burner.enough.is_set()
        finally:
            burner.enough.set()
        await home.reach(running, "finished")
