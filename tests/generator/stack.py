"""The whole service in the test's own event loop, on a real port."""

import hashlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from lxml import etree
from pydantic import SecretStr

from generator.executors.base import Executor
from generator.jobs.tables import Job
from generator.observers import LogObserver, Observer
from generator.server import RunningGenerator, Timing, running
from generator.settings import GeneratorSettings
from generator.tasks import Picture
from generator.web import documents, problems
from lookalike.settings import folder_of
from protos import GENERATOR_NAMESPACE, PROBLEM_NAMESPACE
from tests.generator.scripted import ScriptedExecutor
from tests.waiting import eventually

TOKEN = "the-token-of-the-tests"
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
    init: tuple[str, object] | None = None,
    aspect: tuple[object, object] | None = None,
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
    if init is not None:
        inner += f'<init-image sha256="{init[0]}" strength="{init[1]}"/>'
    if aspect is not None:
        inner += f'<aspect width="{aspect[0]}" height="{aspect[1]}"/>'
    return f'<job xmlns="{GENERATOR_NAMESPACE}">{inner}</job>'.encode()


def element(response: httpx.Response) -> etree._Element:
    """The answer's root; that it fits its schema was checked when it came in."""
    return etree.fromstring(response.content)


def text(parent: etree._Element, name: str) -> str | None:
    """The text of a job's child; None: there is no such child."""
    return parent.findtext(f"{{{GENERATOR_NAMESPACE}}}{name}")


def code(response: httpx.Response) -> str:
    """The problem's code."""
    return element(response).findtext(f"{{{PROBLEM_NAMESPACE}}}code") or ""


async def _check_shape(response: httpx.Response) -> None:
    """Every answer of every test is valid by its schema, every error a problem."""
    await response.aread()
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if response.is_error:
        assert media_type == problems.MEDIA_TYPE, response.text
        if response.request.method != "HEAD":
            root = element(response)
            _PROBLEM_SCHEMA.assertValid(root)
            status = root.findtext(f"{{{PROBLEM_NAMESPACE}}}status")
            assert status == str(response.status_code)
            assert code(response) in {known.code for known in problems.Code}
    elif media_type in {"application/xml", "text/xml"} and response.url.path != "/v1/schema.xsd":
        _JOB_SCHEMA.assertValid(element(response))


@dataclass
class Stack:
    """The running service.

    Attributes:
        client: asks it, with the token.
        generator: its parts.
        executor: computes, unless the test brought one of its own.
        now: the time of its clock, in seconds since 1970, unless that is the database's.
        results: the folder of its pictures.
    """

    client: httpx.AsyncClient
    generator: RunningGenerator
    executor: ScriptedExecutor
    now: list[float]
    results: Path

    @property
    def images(self) -> list[Path]:
        """The files of its pictures."""
        drafts = self.results / "drafts"
        return [
            path for path in self.results.rglob("*") if path.is_file() and path.parent != drafts
        ]

    async def put(self, body: bytes | None = None, job_id: UUID | None = None) -> UUID:
        identity = job_id or uuid4()
        response = await self.client.put(f"/v1/jobs/{identity}", content=body or job(), headers=XML)
        assert response.status_code == 202, response.text
        return identity

    async def upload(self, name: str = "photo", width: int = 120, height: int = 90) -> str:
        """Has a picture to start from there, as if it was uploaded; its checksum."""
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        await self.generator.uploads.add(sha256, Picture(name.encode(), width, height))
        return sha256

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
            progress = found.find(f"{{{GENERATOR_NAMESPACE}}}progress")
            done = progress is not None and progress.get("step") == str(step)
            return found if done else None

        return await eventually(check)

    async def row(self, job_id: UUID) -> Job:
        found = await self.generator.queue.get(job_id)
        assert found is not None
        return found

    async def stop(self, *job_ids: UUID) -> list[tuple[str, int]]:
        """Stops it and waits until these jobs run no more: their states and attempts then."""
        self.generator.stop.set()

        async def let_go() -> list[Job] | None:
            rows = [await self.row(job_id) for job_id in job_ids]
            return rows if all(row.state != "running" for row in rows) else None

        return [(row.state, row.attempts) for row in await eventually(let_go)]


@asynccontextmanager
async def serving(
    folder: Path,
    executor: Executor | None = None,
    *,
    lease_seconds: float = 60.0,
    stale_seconds: float = 600.0,
    time_passes: bool = False,
    observers: Sequence[Observer] = (),
    **settings: Any,
) -> AsyncGenerator[Stack]:
    """Everything that `python -m generator` starts, but for the process.

    Args:
        folder: its home.
        executor: a scripted one by default.
        lease_seconds: see `Timing`.
        stale_seconds: likewise.
        time_passes: by the database's clock; else when the test says so.
        observers: listen, besides the log.
        settings: without `generator_`.
    """
    scripted = executor if isinstance(executor, ScriptedExecutor) else ScriptedExecutor()
    now = [1_000_000.0]
    timing = Timing(
        lease_seconds=lease_seconds,
        stale_seconds=stale_seconds,
        pause_seconds=0.01,
        maintain_seconds=0.01,
        clock=None if time_passes else lambda: now[0],
    )
    lcm_lora = folder / "lora.safetensors"  # the preset fast has its weights
    lcm_lora.touch()
    named = {"listen": "127.0.0.1:0", "lcm_lora": str(lcm_lora), **settings}
    told = GeneratorSettings(
        lookalike_home=folder,
        service_token=SecretStr(TOKEN),
        **{f"generator_{name}": value for name, value in named.items()},
    )
    listening = (LogObserver(), *observers)
    async with running(
        told, executor=executor or scripted, timing=timing, observers=listening
    ) as generator:
        client = httpx.AsyncClient(
            base_url=f"http://{generator.address}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            event_hooks={"response": [_check_shape]},
            timeout=20,
        )
        async with client:
            try:
                yield Stack(client, generator, scripted, now, folder_of(told.results) or folder)
            finally:
                generator.stop.set()
                scripted.go()  # should it be deaf
