"""The whole service in the test's own event loop, on a real port."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import httpx
from lxml import etree
from sqlalchemy import Engine

from generator import app, documents, problems
from generator.executors.base import Executor
from generator.leases import JobTable
from generator.results import Results
from generator.sampling.presets import Presets
from generator.service import Service
from generator.worker import Worker
from lookalike import database, web
from lookalike.lifecycle import bind
from tests.generator.scripted import ScriptedExecutor

TOKEN = "the-token-of-the-tests"
MIGRATIONS = Path(app.__file__).with_name("migrations")
XML = {"Content-Type": "application/xml"}

_JOB_SCHEMA = etree.XMLSchema(etree.fromstring(documents.SCHEMA))
# RFC 9457, appendix B, in RELAX NG's XML syntax.
_PROBLEM_SCHEMA = etree.RelaxNG(
    etree.fromstring(
        b"""<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:ietf:rfc:7807"
          datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
          <start><element name="problem">
            <interleave>
              <optional><element name="type"><data type="anyURI"/></element></optional>
              <optional><element name="title"><data type="string"/></element></optional>
              <optional><element name="detail"><data type="string"/></element></optional>
              <optional><element name="status"><data type="positiveInteger"/></element></optional>
              <optional><element name="instance"><data type="anyURI"/></element></optional>
            </interleave>
            <ref name="anyNsElement"/>
          </element></start>
          <define name="anyNsElement"><zeroOrMore><choice>
            <element><nsName/><choice><ref name="anyNsElement"/><text/></choice></element>
            <attribute><anyName/><text/></attribute>
          </choice></zeroOrMore></define>
        </grammar>"""
    )
)

_T = TypeVar("_T")


def job(
    prompt: str = "a cat",
    *,
    negative: str | None = None,
    owner: str | None = None,
    preset: str | None = None,
    width: object = None,
    height: object = None,
    steps: object = None,
    guidance: object = None,
    seed: object = None,
) -> bytes:
    """A request, written by hand so that it can be wrong."""
    named = {
        "prompt": prompt,
        "negative-prompt": negative,
        "owner": owner,
        "preset": preset,
        "width": width,
        "height": height,
        "steps": steps,
        "guidance-scale": guidance,
        "seed": seed,
    }
    inner = "".join(f"<{k}>{v}</{k}>" for k, v in named.items() if v is not None)
    return f'<job xmlns="{documents.NAMESPACE}">{inner}</job>'.encode()


def element(response: httpx.Response) -> etree._Element:
    """The answer's root; that it fits its schema was checked when it came in."""
    return etree.fromstring(response.content)


def text(parent: etree._Element, name: str) -> str | None:
    """The text of a job's child; None: there is no such child."""
    return parent.findtext(f"{{{documents.NAMESPACE}}}{name}")


def code(response: httpx.Response) -> str:
    """The problem's code."""
    return element(response).findtext(f"{{{problems.NAMESPACE}}}code") or ""


async def eventually(check: Callable[[], Awaitable[_T | None]]) -> _T:
    """What `check` returns as soon as it returns something."""
    async with asyncio.timeout(20):
        while True:
            found = await check()
            if found is not None:
                return found
            await asyncio.sleep(0.01)


async def _check_shape(response: httpx.Response) -> None:
    """Every answer of every test is valid by its schema, every error a problem."""
    await response.aread()
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if response.is_error:
        assert media_type == problems.MEDIA_TYPE, response.text
        if response.request.method != "HEAD":
            root = element(response)
            _PROBLEM_SCHEMA.assertValid(root)
            status = root.findtext(f"{{{problems.NAMESPACE}}}status")
            assert status == str(response.status_code)
            assert code(response) in {known.code for known in problems.Code}
    elif media_type in {"application/xml", "text/xml"} and response.url.path != "/v1/schema.xsd":
        _JOB_SCHEMA.assertValid(element(response))


@dataclass
class House:
    """The running service and its parts."""

    client: httpx.AsyncClient
    service: Service
    table: JobTable
    results: Results
    worker: Worker
    executor: ScriptedExecutor
    stop: asyncio.Event
    engine: Engine
    folder: Path
    working: asyncio.Task[None]
    now: list[float] = field(default_factory=list)

    async def put(self, body: bytes | None = None, job_id: UUID | None = None) -> UUID:
        identity = job_id or uuid4()
        response = await self.client.put(f"/v1/jobs/{identity}", content=body or job(), headers=XML)
        assert response.status_code == 202, response.text
        return identity

    async def get(self, job_id: UUID) -> etree._Element:
        response = await self.client.get(f"/v1/jobs/{job_id}")
        assert response.status_code == 200, response.text
        return element(response)

    async def reach(self, job_id: UUID, state: str) -> etree._Element:
        async def check() -> etree._Element | None:
            found = await self.get(job_id)
            return found if found.get("state") == state else None

        return await eventually(check)

    async def at_step(self, job_id: UUID, step: int) -> etree._Element:
        async def check() -> etree._Element | None:
            found = await self.get(job_id)
            progress = found.find(f"{{{documents.NAMESPACE}}}progress")
            done = progress is not None and progress.get("step") == str(step)
            return found if done else None

        return await eventually(check)


@asynccontextmanager
async def house(
    folder: Path,
    executor: Executor | None = None,
    *,
    max_queue: int = 1000,
    max_attempts: int = 3,
    presets: Presets | None = None,
    lease_seconds: float = 60.0,
    stale_seconds: float = 600.0,
) -> AsyncGenerator[House]:
    """Starts everything that `python -m generator` starts, but for the process."""
    scripted = executor if isinstance(executor, ScriptedExecutor) else ScriptedExecutor()
    engine = database.create_engine(f"sqlite:///{folder / 'jobs.db'}")
    database.migrate(engine, MIGRATIONS)
    now = [1_000_000.0]
    table = JobTable(
        engine,
        max_queue=max_queue,
        max_attempts=max_attempts,
        presets=presets,
        lease_seconds=lease_seconds,
        clock=lambda: now[0],
    )
    results = Results(folder / "results")
    worker = Worker(
        table,
        results,
        executor or scripted,
        "tester",
        stale_seconds=stale_seconds,
        pause_seconds=0.01,
    )
    await worker.recover()
    stop = asyncio.Event()
    service = Service(table, results, worker, stop)
    bound = bind("127.0.0.1:0", "PORT")
    serving = asyncio.create_task(web.serve(app.create_app(service, TOKEN), bound, stop))
    working = asyncio.create_task(worker.work(stop))
    housekeeping = asyncio.create_task(worker.keep_house(stop))
    client = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{bound.getsockname()[1]}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        event_hooks={"response": [_check_shape]},
        timeout=20,
    )
    async with client:
        try:
            yield House(
                client,
                service,
                table,
                results,
                worker,
                scripted,
                stop,
                engine,
                folder,
                working,
                now,
            )
        finally:
            stop.set()
            scripted.go()  # should it be deaf
            tasks = (serving, working, housekeeping)
            await asyncio.wait(tasks)
            await table.close()
            for task in tasks:
                task.result()
