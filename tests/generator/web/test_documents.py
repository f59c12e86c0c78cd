"""Documents in and out: whatever comes, the answer is a request or a clear problem."""

import contextlib
import os
from dataclasses import asdict, replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from generator.jobs.errors import JobError
from generator.jobs.messages import Aspect, Image, InitImage, JobRequest, JobState
from generator.presets import PRESETS
from generator.web import documents
from generator.web.errors import problem_of
from generator.web.problems import Code, Problem
from protos import GENERATOR_NAMESPACE
from tests.generator.stack import job, text

_SCHEMA = etree.XMLSchema(etree.fromstring(documents.SCHEMA))
_NS = GENERATOR_NAMESPACE

_xml_text = st.text(
    st.characters(codec="utf-8", exclude_characters="\x7f").filter(
        lambda char: char in "\t\n" or (char >= " " and char not in "\ufffe\uffff")
    )
)
_sides = st.integers(8, 128).map(lambda units: units * 8)


def _text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    return _xml_text.filter(lambda text: least <= len(text) <= most)


_digits = st.text("0123456789abcdef", min_size=64, max_size=64)
_strengths = st.sampled_from(["twin", "sibling", "cousin"]) | st.integers(1, 100).map(
    lambda hundredths: hundredths / 100
)
_proportions = st.builds(Aspect, st.integers(1, 100_000), st.integers(1, 100_000))


def _with_aspect(request: JobRequest, aspect: Aspect | None) -> JobRequest:
    return request if request.has_size else replace(request, aspect=aspect)


_plain_requests = st.builds(
    JobRequest,
    prompt=_text(1000, 1),
    negative_prompt=st.none() | _text(1000),
    owner=st.none() | _text(64),
    preset=st.sampled_from([None, *PRESETS]),
    width=st.none() | _sides,
    height=st.none() | _sides,
    steps=st.none() | st.integers(1, 150),
    guidance_scale=st.none() | st.integers(0, 300).map(lambda tenths: tenths / 10),
    seed=st.none() | st.integers(0, 2**63 - 1),
    init_image=st.none() | st.builds(InitImage, _digits, _strengths),
)
_requests = st.builds(_with_aspect, _plain_requests, st.none() | _proportions)


def _written(request: JobRequest) -> bytes:
    root = etree.Element(f"{{{_NS}}}job", nsmap={None: _NS})
    for name, value in (
        ("prompt", request.prompt),
        ("negative-prompt", request.negative_prompt),
        ("owner", request.owner),
        ("preset", request.preset),
        ("width", request.width),
        ("height", request.height),
        ("steps", request.steps),
        ("guidance-scale", request.guidance_scale),
        ("seed", request.seed),
    ):
        if value is not None:
            etree.SubElement(root, f"{{{_NS}}}{name}").text = str(value)
    for name, item in (("init-image", request.init_image), ("aspect", request.aspect)):
        if item is not None:
            attributes = {key: str(value) for key, value in asdict(item).items()}
            etree.SubElement(root, f"{{{_NS}}}{name}", attributes)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


@settings(deadline=None)
@given(_requests)
def test_a_written_request_is_valid_and_read_as_it_was(request_: JobRequest) -> None:
    body = _written(request_)
    _SCHEMA.assertValid(etree.fromstring(body))
    parsed = documents.parse_request(body)
    assert parsed == request_
    assert parsed.fingerprint() == request_.fingerprint()


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode) | st.text().map(job))
def test_no_bytes_break_the_parser(body: bytes) -> None:
    with contextlib.suppress(Problem, JobError):  # any other error fails the test
        assert documents.parse_request(body).prompt


@settings(deadline=None)
@given(
    st.builds(
        JobState,
        id=st.uuids(),
        state=st.sampled_from(["queued", "failed"]),
        attempt=st.none() | st.integers(0, 100),
        owner=_text(64),
        model=st.text(),
        seed=st.none() | st.integers(0, 2**63 - 1),
        progress=st.none() | st.tuples(st.integers(0, 150), st.integers(1, 150)),
        position=st.none() | st.integers(0, 100_000),
        eta_seconds=st.none() | st.floats(0, 1e9),
        preview=st.booleans(),
        error=st.none() | st.tuples(st.just("gave-up"), st.text()),
    )
)
def test_every_written_state_is_valid(state: JobState) -> None:
    _SCHEMA.assertValid(etree.fromstring(documents.write_job(state)))
    _SCHEMA.assertValid(etree.fromstring(documents.write_jobs([state] * 3)))


def test_a_state_keeps_the_order_of_the_contract() -> None:
    state = JobState(
        uuid4(),
        "finished",
        1,
        "me",
        "m",
        1,
        (1, 2),
        0,
        1.25,
        preview=True,
        image=Image(8, 8, "0" * 64),
        error=("gave-up", "words"),
    )
    root = etree.fromstring(documents.write_job(state))
    names = [etree.QName(child).localname for child in root]
    assert names == [
        "owner",
        "model",
        "seed",
        "progress",
        "position",
        "eta-seconds",
        "preview",
        "image",
        "error",
    ]
    assert text(root, "eta-seconds") == "1.2"


@pytest.mark.parametrize(
    "body",
    [
        job("x" * 1000),
        job("\U0001f600" * 1000),
        job(" "),
        job("x", negative="y" * 1000),
        job("x", negative=""),
        job("x", owner="o" * 64),
        job("x", preset=" balanced "),
        job("x", preset="faithful"),
        job("x", preset="quick"),
        job("x", preset="fast"),
        job("x", width=64, height=1024),
        job("x", width="0" * 5000 + "512"),
        job("x", steps=1),
        job("x", steps="+150"),
        job("x", guidance=0),
        job("x", guidance="30.000"),
        job("x", guidance="." + "5" * 5000),
        job("x", seed=0),
        job("x", seed="-0"),
        job("x", seed=2**63 - 1),
        job("x", init=("0" * 64, "0.55"), aspect=(3, 4)),
        job("x", init=(f" {'f' * 64} ", " +1.000 "), width=512),
        job("x", init=("0" * 64, "." + "0" * 30 + "1")),
        job("x", init=("0" * 64, " twin ")),
        job("x", aspect=("+1", "00100000")),
        job("a<!-- between -->b"),
        job("<![CDATA[a < b]]>"),
        b'<?xml version="1.0" encoding="ISO-8859-1"?>' + job("é").decode().encode("latin-1"),
        job("é").decode().encode("utf-16"),
        b"\xef\xbb\xbf" + job("é"),
    ],
)
def test_what_the_contract_allows_is_taken(body: bytes) -> None:
    assert documents.parse_request(body).prompt


def _doctype(inner: str, prompt: str = "x") -> bytes:
    return f"<!DOCTYPE job {inner}>".encode() + job(prompt)


_LAUGHS = (
    "[" + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10)) + "]"
)

_REFUSED = [
    (b"", Code.NOT_WELL_FORMED),
    (b"{}", Code.NOT_WELL_FORMED),
    (b"<job", Code.NOT_WELL_FORMED),
    (job() + b"<job/>", Code.NOT_WELL_FORMED),
    (job("\x00"), Code.NOT_WELL_FORMED),
    (job("\x0b"), Code.NOT_WELL_FORMED),
    (job("&#0;"), Code.NOT_WELL_FORMED),
    (job("&#xD800;"), Code.NOT_WELL_FORMED),
    (job("&nbsp;"), Code.NOT_WELL_FORMED),
    (job("a").replace(b"a", b"\xed\xa0\x80"), Code.NOT_WELL_FORMED),
    (b"<?xml version='1.0' encoding='bogus'?>" + job(), Code.NOT_WELL_FORMED),
    (job("é").decode().encode("latin-1"), Code.NOT_WELL_FORMED),
    (b"<a>" * 5000, Code.NOT_WELL_FORMED),
    (_doctype(""), Code.HAS_DOCTYPE),
    (_doctype('SYSTEM "file:///etc/passwd"'), Code.HAS_DOCTYPE),
    (_doctype('[<!ENTITY x SYSTEM "file:///etc/passwd">]', "&x;"), Code.HAS_DOCTYPE),
    (_doctype(_LAUGHS, "&l9;"), Code.NOT_WELL_FORMED),
    (job(""), Code.INVALID_DOCUMENT),
    (job("x" * 1001), Code.INVALID_DOCUMENT),
    (job("x", negative="y" * 1001), Code.INVALID_DOCUMENT),
    (job("x", owner="o" * 65), Code.INVALID_DOCUMENT),
    (job("x", preset="imaginary"), Code.UNKNOWN_PRESET),
    (job("x", preset="Balanced"), Code.INVALID_DOCUMENT),
    (job("x", preset="b" * 33), Code.INVALID_DOCUMENT),
    (job("x", preset=""), Code.INVALID_DOCUMENT),
    (job("x", width=56), Code.INVALID_DOCUMENT),
    (job("x", width=1032), Code.INVALID_DOCUMENT),
    (job("x", width=100), Code.INVALID_SIZE),
    (job("x", height=1023), Code.INVALID_SIZE),
    (job("x", height="512.0"), Code.INVALID_DOCUMENT),
    (job("x", height="9" * 60_000), Code.INVALID_DOCUMENT),
    (job("x", steps=0), Code.INVALID_DOCUMENT),
    (job("x", steps=151), Code.INVALID_DOCUMENT),
    (job("x", guidance="-0.1"), Code.INVALID_DOCUMENT),
    (job("x", guidance="30.1"), Code.INVALID_DOCUMENT),
    (job("x", guidance="NaN"), Code.INVALID_DOCUMENT),
    (job("x", guidance="1e1"), Code.INVALID_DOCUMENT),
    (job("x", seed=-1), Code.INVALID_DOCUMENT),
    (job("x", seed=2**63), Code.INVALID_DOCUMENT),
    (job("x", seed=""), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "0")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "1.01")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "1e-1")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "NaN")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "dream")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 63, "0.5")), Code.INVALID_DOCUMENT),
    (job("x", init=("A" * 64, "0.5")), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "0.5")).replace(b" strength", b" power"), Code.INVALID_DOCUMENT),
    (job("x", init=("0" * 64, "0.5")).replace(b"/>", b">y</init-image>"), Code.INVALID_DOCUMENT),
    (job("x", aspect=(0, 1)), Code.INVALID_DOCUMENT),
    (job("x", aspect=(1, 100_001)), Code.INVALID_DOCUMENT),
    (job("x", aspect=("1.5", 1)), Code.INVALID_DOCUMENT),
    (job("x", aspect=(3, 4), width=512, height=512), Code.INVALID_SIZE),
    (job("x", aspect=(3, 4), height=512), Code.INVALID_SIZE),
    (
        job("x", init=("0" * 64, "1"), aspect=(3, 4)).replace(b"<aspect", b"<seed>1</seed><aspect"),
        Code.INVALID_DOCUMENT,
    ),
    (job("<b>x</b>"), Code.INVALID_DOCUMENT),
    (job().replace(b"<job", b'<job id="x"'), Code.INVALID_DOCUMENT),
    (job().replace(b"<prompt", b'<prompt lang="en"'), Code.INVALID_DOCUMENT),
    (job().replace(b' xmlns="' + _NS.encode() + b'"', b""), Code.INVALID_DOCUMENT),
    (f'<job xmlns="{_NS}"/>'.encode(), Code.INVALID_DOCUMENT),
    (f'<job xmlns="{_NS}"><owner>me</owner></job>'.encode(), Code.INVALID_DOCUMENT),
    (f'<jobs xmlns="{_NS}"/>'.encode(), Code.INVALID_DOCUMENT),
    (
        f'<job xmlns="{_NS}"><steps>5</steps><prompt>x</prompt></job>'.encode(),
        Code.INVALID_DOCUMENT,
    ),
    (job().replace(b"</job>", b"<extra/></job>"), Code.INVALID_DOCUMENT),
    (job().replace(b"</job>", b"<width>64</width>" * 2 + b"</job>"), Code.INVALID_DOCUMENT),
]


def _refused(body: bytes) -> Problem:
    """What the caller is told."""
    try:
        request = documents.parse_request(body)
    except JobError as error:
        return problem_of(error)
    except Problem as problem:
        return problem
    pytest.fail(f"taken: {request}")


@pytest.mark.parametrize(("body", "expected"), _REFUSED)
def test_what_the_contract_forbids_is_refused(body: bytes, expected: Code) -> None:
    assert _refused(body).code is expected


def test_an_unknown_preset_is_told_which_there_are() -> None:
    assert "faithful, balanced, quick, fast" in _refused(job("x", preset="imaginary")).detail


def test_a_violation_names_its_line() -> None:
    body = job("x", width=1, steps=999).replace(b"<", b"\n<")
    with pytest.raises(Problem) as refused:
        documents.parse_request(body)
    found = [(violation.line, violation.message) for violation in refused.value.violations]
    assert [line for line, _ in found] == [5, 7]
    assert "width" in found[0][1]
    assert "steps" in found[1][1]
    assert "urn:" not in found[0][1]


def test_violations_are_bounded() -> None:
    body = job("x", width="y" * 60_000)
    with pytest.raises(Problem) as refused:
        documents.parse_request(body)
    assert all(len(violation.message) <= 500 for violation in refused.value.violations)


def test_a_documents_own_schema_location_is_not_followed() -> None:
    location = (
        b'<job xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="urn:other file:///etc/passwd"'
    )
    with pytest.raises(Problem) as refused:
        documents.parse_request(job().replace(b"<job", location))
    assert "no such attribute" in refused.value.violations[0].message


def test_not_even_where_attributes_are_taken() -> None:
    location = (
        b'<aspect xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        b' xsi:schemaLocation="urn:other file:///etc/passwd"'
    )
    with pytest.raises(Problem) as refused:
        documents.parse_request(job("x", aspect=(3, 4)).replace(b"<aspect", location))
    assert "no such attribute" in refused.value.violations[0].message


def test_requests_from_before_there_were_init_images_are_still_the_same() -> None:
    body = job("a", negative="b", owner="me", width=64, height=72, steps=9, guidance="1.5", seed=7)
    before = "a3d2525cbcc97e8b912b2dc7d57760014a73d45f56134a8bd31942b913c9765a"
    assert documents.parse_request(body).fingerprint() == before


def test_an_external_dtd_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.dtd"
    os.mkfifo(pipe)  # opening it would wait for ever
    with pytest.raises(Problem) as refused:
        documents.parse_request(_doctype(f'SYSTEM "{pipe.as_uri()}"'))
    assert refused.value.code is Code.HAS_DOCTYPE


def test_a_header_can_override_the_encoding() -> None:
    declared = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + job("é")
    assert documents.parse_request(declared, "utf-8").prompt == "é"
