"""Errors and their order: every error has the one shape (`stack` checks that on each answer)."""

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest
from starlette.requests import Request

from generator.web import http
from generator.web.problems import Code, Problem
from tests.generator.stack import TOKEN, XML, Stack, code, job

_JOB = f"/v1/jobs/{uuid4()}"


async def test_without_the_token_nothing_is_told(stack: Stack) -> None:
    stack.client.headers.pop("authorization")
    for method, path in (
        ("GET", _JOB),
        ("PUT", _JOB),
        ("DELETE", _JOB),
        ("GET", f"{_JOB}/image"),
        ("GET", f"{_JOB}/preview"),
        ("GET", "/v1/jobs"),
        ("POST", "/generate_image"),
        ("GET", "/nothing"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    ):
        for authorization in (None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", "Bearer \xe9"):
            headers = [] if authorization is None else [("Authorization", authorization)]
            encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers]
            response = await stack.client.request(method, path, headers=encoded)
            assert (response.status_code, code(response)) == (401, "unauthorized")
            assert response.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_is_read_in_any_case(stack: Stack) -> None:
    headers = {"Authorization": f"bEARER {TOKEN}"}
    assert (await stack.client.get(_JOB, headers=headers)).status_code == 404


async def test_what_is_not_there(stack: Stack) -> None:
    for method, path, *expected in (
        ("GET", "/", 404, "no-such-path"),
        ("GET", "/openapi.json", 404, "no-such-path"),
        ("GET", "/docs", 404, "no-such-path"),
        ("GET", "/redoc", 404, "no-such-path"),
        ("GET", "/v1/jobs/", 404, "no-such-path"),
        ("GET", "/v1/jobs/nonsense", 404, "not-a-uuid"),
        ("GET", "/v1/jobs/{12345678-1234-1234-1234-123456789012}", 404, "not-a-uuid"),
        ("GET", "/v1/jobs/12345678123412341234123456789012", 404, "not-a-uuid"),
        ("PUT", "/v1/jobs/nonsense", 404, "not-a-uuid"),
        ("DELETE", "/v1/jobs/nonsense", 404, "not-a-uuid"),
        ("GET", "/v1/jobs/nonsense/image", 404, "not-a-uuid"),
        ("GET", _JOB, 404, "unknown-job"),
        ("DELETE", _JOB, 404, "unknown-job"),
        ("GET", f"{_JOB}/image", 404, "unknown-job"),
        ("GET", f"{_JOB}/preview", 404, "unknown-job"),
        ("POST", _JOB, 405, "method-not-allowed"),
        ("GET", "/generate_image", 405, "method-not-allowed"),
        ("POST", "/health/live", 405, "method-not-allowed"),
    ):
        response = await stack.client.request(method, path)
        assert [response.status_code, code(response)] == expected, path


async def test_a_wrong_method_is_told_the_right_ones(stack: Stack) -> None:
    response = await stack.client.patch(_JOB)
    assert response.headers["allow"] == "DELETE, GET, HEAD, PUT"


async def test_accept_can_exclude_the_answer(stack: Stack) -> None:
    for path in (_JOB, "/v1/jobs", f"{_JOB}/image", f"{_JOB}/preview"):
        response = await stack.client.get(path, headers={"Accept": "application/json"})
        assert (response.status_code, code(response)) == (406, "not-acceptable")


async def test_only_xml_is_taken(stack: Stack) -> None:
    for headers in (
        {},
        {"Content-Type": "application/json"},
        {"Content-Type": "application/problem+xml"},
        {"Content-Type": "application/xml; charset=utf-16"},
        {"Content-Type": "nonsense"},
        {**XML, "Content-Encoding": "gzip"},
    ):
        response = await stack.client.put(_JOB, content=job(), headers=headers)
        assert (response.status_code, code(response)) == (415, "unsupported-media-type")
        assert response.headers["accept"] == "application/xml, text/xml"
    for media_type in ("application/xml", "text/xml", 'Application/XML ; charset="UTF-8"'):
        headers = {"Content-Type": media_type}
        response = await stack.client.put(_JOB, content=job(), headers=headers)
        assert response.status_code == 202


def _padded(size: int) -> bytes:
    return job().replace(b"</job>", b" " * (size - len(job())) + b"</job>")


async def _chunks(body: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_may_have_64_kib(stack: Stack, *, chunked: bool) -> None:
    for size, status in ((65_536, 202), (65_537, 413), (3_000_000, 413)):
        body = _padded(size)
        content = _chunks(body) if chunked else body
        response = await stack.client.put(_JOB, content=content, headers=XML)
        assert response.status_code == status
        if status == 413:
            assert code(response) == "body-too-large"


async def test_a_body_that_does_not_come_is_not_waited_for(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "_BODY_SECONDS", 0.01)
    reader, writer = await _raw_put(stack)
    assert b" 408 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_breaks_off_is_no_fault(
    stack: Stack, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await _raw_put(stack)
    writer.close()
    await writer.wait_closed()
    response = await stack.client.get("/health/live")
    assert response.status_code == 200
    assert not [record for record in caplog.records if record.exc_info]


async def _raw_put(stack: Stack) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = stack.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = (
        f"PUT {_JOB} HTTP/1.1",
        "Host: here",
        f"Authorization: Bearer {TOKEN}",
        "Content-Type: application/xml",
        "Content-Length: 100",
        "",
        "<job",
    )
    writer.write("\r\n".join(lines).encode())
    await writer.drain()
    return reader, writer


async def test_the_first_of_several_errors_is_told(stack: Stack) -> None:
    plain = {"Content-Type": "text/plain"}
    unauthorised = {"Authorization": "Bearer wrong"}
    for path, headers, body, status in (
        ("/v1/jobs/nonsense", plain | unauthorised, b"x" * 70_000, 401),
        ("/v1/jobs/nonsense", plain, b"x" * 70_000, 404),
        (_JOB, plain, b"x" * 70_000, 415),
        (_JOB, XML, b"<" * 70_000, 413),
        (_JOB, XML, b"<", 400),
        (_JOB, XML, b"<!DOCTYPE job><job/>", 400),
        (_JOB, XML, b"<job/>", 422),
    ):
        response = await stack.client.put(path, content=body, headers=headers)
        assert response.status_code == status


async def test_a_violation_stands_in_the_problem(stack: Stack) -> None:
    response = await stack.client.put(_JOB, content=job(steps=0), headers=XML)
    assert code(response) == "invalid-document"
    assert b"<line>1</line>" in response.content
    assert b"steps" in response.content


async def test_a_fault_of_ours_has_the_shape_too(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_ids: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(stack.generator.service, "states", fail)
    response = await stack.client.get("/v1/jobs", params={"id": str(uuid4())})
    assert (response.status_code, code(response)) == (500, "internal-error")
    assert b"secret" not in response.content


async def test_a_full_disk_is_told(stack: Stack) -> None:
    with stack.generator.database._engine.connect() as pages:
        used = pages.exec_driver_sql("PRAGMA page_count").scalar_one()
        pages.exec_driver_sql(f"PRAGMA max_page_count={used}")
    statuses = set()
    for number in range(40):
        body = job("x" * 1000, negative="y" * 1000, seed=number)
        response = await stack.client.put(f"/v1/jobs/{uuid4()}", content=body, headers=XML)
        statuses.add(response.status_code)
        if response.status_code == 507:
            assert code(response) == "disk-full"
            assert response.headers["retry-after"]
    assert 507 in statuses
    assert statuses <= {202, 507}


def test_codes_are_unique_and_plain() -> None:
    codes = [known.code for known in Code]
    assert len(codes) == len(set(codes)) == len(Code)
    assert all(known.replace("-", "").isalpha() and known.islower() for known in codes)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "a/x"),
        ("a/*;q=0.1, b/y", "b/y"),
        ("a/x;q=nonsense", None),
        (";;,,=", None),
        ("*/*;q=0.2, a/x;q=0", "b/y"),
    ],
)
def test_negotiation(accept: str, expected: str | None) -> None:
    headers = [(b"accept", accept.encode())] if accept else []
    request = Request({"type": "http", "headers": headers})
    if expected is None:
        with pytest.raises(Problem):
            http.negotiate(request, ("a/x", "b/y"))
    else:
        assert http.negotiate(request, ("a/x", "b/y")) == expected
