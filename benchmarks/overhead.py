"""What a job takes beyond the model's own time: HTTP, XML, the queue, the PNG.

The real service, as a process, draws pictures of a single step with the model that is measured.
"""

import queue
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from benchmarks.systems import PROMPT
from benchmarks.timed import SAYS
from lookalike.processes import MALLOC_TUNABLES, ServiceProcess, clean_environment
from lookalike.tokens import service_token
from protos import GENERATOR_NAMESPACE

_ROOT = Path(__file__).parent.parent
_CALLS = 2
"""Of the model for a picture: sampling, decoding."""

_SECONDS = 600.0


def measure(model: Path, side: int, jobs: int) -> list[float]:
    """Milliseconds between request and answer, less what the model took, for each job.

    Args:
        model: a folder in diffusers layout.
        side: of the pictures.
        jobs: how many.
    """
    with serving(model, side) as generate:
        return [generate() for _ in range(jobs)]


@contextmanager
def serving(model: Path, side: int, **settings: str) -> Iterator[Callable[[], float]]:
    """Gives what has a job computed and says what `measure` does.

    Args:
        model: a folder in diffusers layout.
        side: of the pictures.
        settings: further environment variables of the service.
    """
    said: queue.SimpleQueue[float] = queue.SimpleQueue()

    def listen(line: str) -> None:
        if line.startswith(SAYS):
            said.put(float(line.removeprefix(SAYS)))

    with tempfile.TemporaryDirectory() as name, requests.Session() as session:
        home = Path(name)
        environment = {
            **clean_environment(),
            **MALLOC_TUNABLES,
            "PYTHONPATH": str(_ROOT),
            "LOOKALIKE_HOME": name,
            "GENERATOR_LISTEN": "127.0.0.1:0",
            "GENERATOR_MODEL": str(model),
            # Where jobs have a single attempt, the worker does not measure batches between them.
            "GENERATOR_MAX_ATTEMPTS": "1",
            **settings,
        }
        service = ServiceProcess("benchmarks.timed", environment, home, listen)

        def generate() -> float:
            began = time.perf_counter()
            _generate(session, address, side)
            taken = time.perf_counter() - began
            model_took = sum(said.get(timeout=_SECONDS) for _ in range(_CALLS))
            return 1000 * (taken - model_took)

        try:
            address = service.address()
            session.headers["Authorization"] = f"Bearer {service_token(home)}"
            session.headers["Content-Type"] = "application/xml"
            generate()  # this one waits until the model is loaded
            yield generate
        finally:
            service.stop()


def _generate(session: requests.Session, address: str, side: int) -> None:
    """The synchronous call: the answer is XML with the picture in it."""
    body = (
        f'<job xmlns="{GENERATOR_NAMESPACE}"><prompt>{PROMPT}</prompt>'
        f"<width>{side}</width><height>{side}</height><steps>1</steps></job>"
    )
    answer = session.post(f"http://{address}/generate_image", body, timeout=_SECONDS)
    answer.raise_for_status()
