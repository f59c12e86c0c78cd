"""The client of the generator: requests and lxml, in threads."""

import asyncio
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal

import requests
from lxml import etree

from protos import GENERATOR_NAMESPACE, PROBLEM_NAMESPACE
from protos.lookalike.db.v1 import db_pb2 as db

_TIMEOUT = (3.05, 5)  # seconds to connect, to read
_BULK = 200  # ids in one request; the contract's limit
_TRY_AGAIN = frozenset({408, 425, 429})
_XML = "application/xml"


class GeneratorAway(Exception):
    """It cannot be reached or has no room; the same request may succeed later.

    Attributes:
        busy: it answers, but its queue is full.
        retry_after: seconds it asked to wait, if it did.
    """

    def __init__(
        self, reason: str, *, busy: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.busy = busy
        self.retry_after = retry_after


class JobRejected(Exception):
    """It will not take the request, now or later; `code` is the problem's."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


@dataclass(frozen=True)
class Job:
    """A job's state as the generator tells it.

    Attributes:
        state: queued, running, finished, failed, cancelled, refused or unknown.
        step: steps done.
        steps: steps in all; 0 where it is not said.
        position: jobs before this one.
        eta_seconds: seconds until it is finished, if that can be told.
        model: the model's name, once known.
        seed: the seed.
        width: the picture's, in pixels; 0 while there is none.
        height: likewise.
        sha256: the picture's checksum; empty while there is none.
        error_code: why it failed, if it did.
        error: the same in words.
    """

    state: str
    step: int = 0
    steps: int = 0
    position: int = 0
    eta_seconds: float | None = None
    model: str = ""
    seed: int = 0
    width: int = 0
    height: int = 0
    sha256: str = ""
    error_code: str = ""
    error: str = ""


class GeneratorClient:
    """Calls run in threads; each thread keeps a connection of its own."""

    def __init__(self, url: str, token: str) -> None:
        """`url` has no slash at its end."""
        self._url = url
        self._token = token
        self._local = threading.local()
        # Its own, so that a generator that hangs does not hold up what else runs in threads.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="generator")

    def close(self) -> None:
        """Lets the threads end; what they wait for may take them a few seconds more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def submit(self, job_id: str, parameters: db.Parameters, owner: str) -> Job:
        """Submits a job, or finds it submitted.

        Raises:
            GeneratorAway: try again later.
            JobRejected: it will not be taken.
        """
        document = _request_document(parameters, owner)
        response = await self._call("PUT", f"/v1/jobs/{job_id}", document)
        return _parse_job(_parse(response.content))

    async def states(self, job_ids: list[str]) -> dict[str, Job]:
        """The states of many jobs; one that nobody knows is `unknown`.

        Raises:
            GeneratorAway: try again later.
            JobRejected: the request was wrong.
        """
        states: dict[str, Job] = {}
        for start in range(0, len(job_ids), _BULK):
            query = "&".join(f"id={job_id}" for job_id in job_ids[start : start + _BULK])
            response = await self._call("GET", f"/v1/jobs?{query}")
            for element in _parse(response.content):
                states[element.get("id", "")] = _parse_job(element)
        return states

    async def image(self, job_id: str, sha256: str) -> bytes:
        """A finished job's PNG, verified.

        Raises:
            GeneratorAway: try again later.
            JobRejected: there is none.
        """
        response = await self._call("GET", f"/v1/jobs/{job_id}/image")
        if hashlib.sha256(response.content).hexdigest() != sha256:
            raise GeneratorAway("the picture arrived damaged")
        return response.content

    async def remove(self, job_id: str) -> None:
        """Cancels the job if it is not done and removes what is left of it; unknown is fine.

        Raises:
            GeneratorAway: try again later.
            JobRejected: the request was wrong.
        """
        try:
            response = await self._call("DELETE", f"/v1/jobs/{job_id}")
            if response.status_code == requests.codes.ok:  # cancelled; its record is still there
                await self._call("DELETE", f"/v1/jobs/{job_id}")
        except JobRejected as error:
            if error.code != "unknown-job":
                raise

    async def _call(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._call_blocking, method, path, body)

    def _call_blocking(self, method: str, path: str, body: bytes | None) -> requests.Response:
        try:
            response = self._session().request(
                method,
                self._url + path,
                data=body,
                headers={"Content-Type": _XML} if body else None,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # Not its text, which repeats addresses and internals of the HTTP library.
            raise GeneratorAway(type(error).__name__) from error
        if response.ok:
            return response
        code, detail = _problem(response)
        if not code:
            raise GeneratorAway("what answers at GENERATOR_URL is no generator")
        if response.status_code >= requests.codes.server_error or (
            response.status_code in _TRY_AGAIN
        ):
            raise GeneratorAway(
                f"{response.status_code} {code}".strip(),
                busy=response.status_code == requests.codes.too_many_requests,
                retry_after=_retry_after(response),
            )
        if response.status_code in {401, 403}:
            raise GeneratorAway("SERVICE_TOKEN is not the generator's")
        raise JobRejected(code, detail)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.trust_env = False  # no proxy stands between the services
            session.headers["Authorization"] = f"Bearer {self._token}"
            self._local.session = session
        session = self._local.session
        assert isinstance(session, requests.Session)  # noqa: S101, for the type checker
        return session


def _request_document(parameters: db.Parameters, owner: str) -> bytes:
    root = etree.Element(f"{{{GENERATOR_NAMESPACE}}}job", nsmap={None: GENERATOR_NAMESPACE})

    def add(name: str, value: str) -> None:
        etree.SubElement(root, f"{{{GENERATOR_NAMESPACE}}}{name}").text = value

    add("prompt", parameters.prompt)
    if parameters.negative_prompt:
        add("negative-prompt", parameters.negative_prompt)
    add("owner", owner)
    if parameters.preset:
        add("preset", parameters.preset)
    for field in ("width", "height", "steps", "guidance_scale", "seed"):
        if parameters.HasField(field):
            value = getattr(parameters, field)
            # A schema's decimal knows no exponent.
            text = f"{Decimal(repr(value)):f}" if isinstance(value, float) else str(value)
            add(field.replace("_", "-"), text)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _parse(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise GeneratorAway("its answer is not XML") from None


def _parse_job(element: etree._Element) -> Job:
    try:
        return _read_job(element)
    except ValueError:
        raise GeneratorAway("its answer is not understood") from None


def _read_job(element: etree._Element) -> Job:
    def child(name: str) -> etree._Element | None:
        return element.find(f"{{{GENERATOR_NAMESPACE}}}{name}")

    def text(name: str) -> str:
        found = child(name)
        return (found.text or "") if found is not None else ""

    progress, image, error = child("progress"), child("image"), child("error")
    eta = text("eta-seconds")
    return Job(
        state=element.get("state", "unknown"),
        step=int(progress.get("step", "0")) if progress is not None else 0,
        steps=int(progress.get("steps", "0")) if progress is not None else 0,
        position=int(text("position") or 0),
        eta_seconds=float(eta) if eta else None,
        model=text("model"),
        seed=int(text("seed") or 0),
        width=int(image.get("width", "0")) if image is not None else 0,
        height=int(image.get("height", "0")) if image is not None else 0,
        sha256=image.get("sha256", "") if image is not None else "",
        error_code=error.get("code", "") if error is not None else "",
        error=(error.text or "") if error is not None else "",
    )


def _problem(response: requests.Response) -> tuple[str, str]:
    if "xml" not in response.headers.get("Content-Type", ""):
        return "", response.reason or ""
    root = _parse(response.content)
    code = root.findtext(f"{{{PROBLEM_NAMESPACE}}}code", default="")
    return code, root.findtext(f"{{{PROBLEM_NAMESPACE}}}detail", default="")


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
