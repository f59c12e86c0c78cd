"""The client of the generator: requests and lxml, in threads."""

import asyncio
import hashlib
import re
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests
from urllib3.exceptions import HTTPError

from bot.clients import documents
from bot.clients.batching import Batcher
from bot.clients.documents import InitImage, Job, NotUnderstood
from bot.observers import Observer, RpcDone, timed
from lookalike import tracing
from protos.lookalike.db.v1 import db_pb2 as db

_CONNECT_SECONDS = 3.05
_READ_SECONDS = 5.0
_DECODE_SECONDS = 30.0  # an upload is answered when it is decoded, and others may be before it
_WHOLE_SECONDS = 30.0  # of an answer that comes bit by bit
_MOST_BYTES = 32 * 1024 * 1024  # of an answer: as much as dbservice takes of a picture
_MOST_PREVIEW_BYTES = 1024 * 1024
_CHUNK = 64 * 1024
_BULK = 200  # ids in one request; the contract's limit
_TRY_AGAIN = frozenset({408, 425, 429})
_XML = "application/xml"
_ASKED_FOR = re.compile(r"^(/v1/[a-z]+)/[^/?]+")


class GeneratorUnavailable(Exception):
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


class UnknownImage(JobRejected):
    """The picture that a job is to start from is not there: upload it, and submit the job again."""


@dataclass(frozen=True)
class _Request:
    """A call: what is asked, how long a read may take, and how much may come."""

    method: str
    path: str
    body: bytes | None = None
    media_type: str = _XML
    read_seconds: float = _READ_SECONDS
    most_bytes: int = _MOST_BYTES


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class GeneratorClient:
    """Calls run in threads; each thread keeps a connection of its own.

    Every call may raise GeneratorUnavailable (try again later) and JobRejected (the request itself
    is not taken).
    """

    def __init__(self, url: str, token: str, observers: Sequence[Observer] = ()) -> None:
        """`url` has no slash at its end."""
        self._url = url
        self._token = token
        self._observers = observers
        self._local = threading.local()
        # Its own, so that a generator that hangs does not hold up what else runs in threads.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="generator")
        self._jobs = Batcher(self._get_jobs, _BULK)

    def close(self) -> None:
        """Lets the threads end; what they wait for may take them a few seconds more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def submit(
        self,
        job_id: str,
        parameters: db.Parameters,
        owner: str,
        *,
        init: InitImage | None = None,
        aspect: tuple[int, int] | None = None,
    ) -> Job:
        """Submits a job, or finds it submitted; see `documents.write_request` for what it takes.

        Raises:
            UnknownImage: what it is to start from has to be uploaded first.
        """
        document = documents.write_request(parameters, owner, init=init, aspect=aspect)
        response = await self._call(_Request("PUT", f"/v1/jobs/{job_id}", document))
        try:
            return documents.read_job(response.body)
        except NotUnderstood as error:
            raise GeneratorUnavailable(str(error)) from error

    async def upload(self, sha256: str, data: bytes, media_type: str) -> None:
        """Uploads a picture to start from, or finds it there.

        Args:
            sha256: of its bytes, in hex.
            data: a JPEG, PNG or WebP file of up to 20 MB.
            media_type: what it is.
        """
        path = f"/v1/images/{sha256}"
        await self._call(_Request("PUT", path, data, media_type, read_seconds=_DECODE_SECONDS))

    async def get_job(self, job_id: str) -> Job:
        """A job's state; one that nobody knows is `unknown`.

        Those that are asked for in one turn of the event loop share a request.
        """
        job = await self._jobs.get(job_id)
        if job is None:
            raise GeneratorUnavailable("its answer leaves a job out")
        return job

    async def get_image(self, job_id: str, sha256: str) -> bytes:
        """A finished job's PNG, verified. JobRejected: there is none."""
        response = await self._call(_Request("GET", f"/v1/jobs/{job_id}/image"))
        if hashlib.sha256(response.body).hexdigest() != sha256:
            raise GeneratorUnavailable("the picture arrived damaged")
        return response.body

    async def get_preview(self, job_id: str) -> bytes | None:
        """Where a running job is, a small JPEG; None: there is none."""
        try:
            response = await self._call(
                _Request("GET", f"/v1/jobs/{job_id}/preview", most_bytes=_MOST_PREVIEW_BYTES)
            )
        except JobRejected as error:
            if error.code not in {"no-preview", "unknown-job"}:
                raise
            return None
        return response.body

    async def delete(self, job_id: str) -> None:
        """Cancels the job if it is unfinished, and deletes what is left of it; unknown is fine."""
        try:
            response = await self._call(_Request("DELETE", f"/v1/jobs/{job_id}"))
            if response.status == requests.codes.ok:  # cancelled; its record is still there
                await self._call(_Request("DELETE", f"/v1/jobs/{job_id}"))
        except JobRejected as error:
            if error.code != "unknown-job":
                raise

    async def delete_image(self, sha256: str) -> None:
        """Deletes a picture to start from, unless an unfinished job is; unknown is fine."""
        try:
            await self._call(_Request("DELETE", f"/v1/images/{sha256}"))
        except JobRejected as error:
            if error.code not in {"no-such-image", "image-in-use"}:
                raise

    async def _get_jobs(self, job_ids: Sequence[str]) -> dict[str, Job]:
        query = "&".join(f"id={job_id}" for job_id in job_ids)
        response = await self._call(_Request("GET", f"/v1/jobs?{query}"))
        try:
            return documents.read_jobs(response.body)
        except NotUnderstood as error:
            raise GeneratorUnavailable(str(error)) from error

    async def _call(self, request: _Request) -> _Answer:
        loop = asyncio.get_running_loop()

        def announce(observer: Observer, seconds: float, outcome: str) -> None:
            observer.rpc_done(RpcDone("generator", request.method, seconds, outcome))

        span = tracing.span(f"{request.method} {_route(request.path)}", kind="client")
        with timed(self._observers, announce, span):
            return await loop.run_in_executor(
                self._threads, self._call_blocking, request, dict(span.headers)
            )

    def _call_blocking(self, request: _Request, headers: dict[str, str]) -> _Answer:
        if request.body:
            headers["Content-Type"] = request.media_type
        try:
            with self._session().request(
                request.method,
                self._url + request.path,
                data=request.body,
                headers=headers,
                timeout=(_CONNECT_SECONDS, request.read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _body_of(response, request.most_bytes)
                answer = _Answer(response.status_code, response.headers, body)
        except (requests.RequestException, HTTPError) as error:
            # Not its text, which repeats addresses and internals of the HTTP library.
            raise GeneratorUnavailable(type(error).__name__) from error
        if answer.status < requests.codes.bad_request:
            return answer
        raise _meaning(answer)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.trust_env = False  # no proxy stands between the services
            session.headers["Accept-Encoding"] = "identity"  # unpacked it may be any size
            session.headers["Authorization"] = f"Bearer {self._token}"
            self._local.session = session
        session = self._local.session
        assert isinstance(session, requests.Session)  # noqa: S101, for the type checker
        return session


def _route(path: str) -> str:
    """A path without what is asked for, such as `/v1/jobs/{id}/image`."""
    return _ASKED_FOR.sub(r"\1/{id}", path).partition("?")[0]


def _body_of(response: requests.Response, most_bytes: int) -> bytes:
    """All of a body, bounded while it comes, in bytes and time.

    Raises:
        GeneratorUnavailable: it is over the bound.
    """
    body, until = bytearray(), time.monotonic() + _WHOLE_SECONDS
    while part := response.raw.read1(_CHUNK, decode_content=False):
        body += part
        if len(body) > most_bytes or time.monotonic() > until:
            raise GeneratorUnavailable("its answer does not end")
    return bytes(body)


def _meaning(response: _Answer) -> GeneratorUnavailable | JobRejected:
    """What an error asks of us."""
    status, code, detail = response.status, "", ""
    if "xml" in response.headers.get("Content-Type", ""):
        try:
            code, detail = documents.read_problem(response.body)
        except NotUnderstood as error:
            return GeneratorUnavailable(str(error))
    if not code:
        return GeneratorUnavailable("what answers at GENERATOR_URL is no generator")
    if status >= requests.codes.server_error or status in _TRY_AGAIN:
        busy = status == requests.codes.too_many_requests
        return GeneratorUnavailable(
            f"{status} {code}", busy=busy, retry_after=_retry_after(response)
        )
    if status in {401, 403}:
        return GeneratorUnavailable("SERVICE_TOKEN is not the generator's")
    return (UnknownImage if code == "unknown-image" else JobRejected)(code, detail)


def _retry_after(response: _Answer) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
