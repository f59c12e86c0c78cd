"""The XML documents: requests are parsed and checked, states are written.

The schema is `protos/generator.xsd`; what XSD 1.0 cannot say is checked here.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from decimal import Decimal
from importlib import resources
from uuid import UUID

from lxml import etree

from generator.problems import Code, Finding, Problem
from generator.sampling.presets import PRESETS
from lookalike.text import printable

NAMESPACE = "urn:lookalike:generator:1"
SCHEMA = resources.files("protos").joinpath("generator.xsd").read_bytes()

_JOB = f"{{{NAMESPACE}}}job"
_PROMPT = f"{{{NAMESPACE}}}prompt"
_SIDE_FACTOR = 8
_MAX_WORDS = 500

_schema = etree.XMLSchema(etree.fromstring(SCHEMA))  # keeps its error log: for one thread only


@dataclass(frozen=True)
class JobRequest:
    """What a caller asks for, as it was written: None stands for what was left out.

    Attributes:
        prompt: 1 to 1,000 characters.
        negative_prompt: up to 1,000 characters.
        owner: whose line the job waits in, up to 64 characters.
        preset: a known one.
        width: pixels, a multiple of 8 in 64 to 1,024.
        height: likewise.
        steps: 1 to 150.
        guidance_scale: 0 to 30.
        seed: 0 to 2^63 - 1.
    """

    prompt: str
    negative_prompt: str | None = None
    owner: str | None = None
    preset: str | None = None
    width: int | None = None
    height: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    seed: int | None = None

    def fingerprint(self) -> str:
        """The same for the same request, whatever its spelling; 64 hex digits."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()


@dataclass(frozen=True)
class Image:
    """A picture of a finished job: by reference, or with its bytes.

    Attributes:
        width: pixels.
        height: pixels.
        sha256: of the PNG, in hex.
        png: the bytes; absent: the state refers to the picture's path.
    """

    width: int
    height: int
    sha256: str
    png: bytes | None = None


@dataclass(frozen=True)
class JobState:
    """What is told of a job. None and "" are left out.

    Attributes:
        id: the job's.
        state: one of the schema's.
        attempt: how often its computation has begun.
        owner: as it was given.
        model: what computes or computed it.
        seed: given or chosen.
        progress: steps done, and all.
        position: how many jobs are ahead of it.
        eta_seconds: until it is finished, as far as known.
        preview: there is one.
        image: if finished.
        error: code and words, if it ended without a picture.
    """

    id: UUID
    state: str
    attempt: int | None = None
    owner: str = ""
    model: str = ""
    seed: int | None = None
    progress: tuple[int, int] | None = None
    position: int | None = None
    eta_seconds: float | None = None
    preview: bool = False
    image: Image | None = None
    error: tuple[str, str] | None = None


def parse_request(body: bytes, encoding: str | None = None) -> JobRequest:
    """Reads a request.

    Args:
        body: the document, of a size that was checked.
        encoding: overrides what the document declares (RFC 7303, section 3).

    Raises:
        Problem: it is not well-formed, has a DOCTYPE, or is not valid.
    """
    root = _parse(body, encoding)
    _validate(root)
    texts = {str(etree.QName(child).localname): child.text or "" for child in root}
    preset = texts["preset"].strip() if "preset" in texts else None
    if preset is not None and preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise Problem(Code.UNKNOWN_PRESET, f"There is no preset {preset}; there is {known}.")
    request = JobRequest(
        prompt=texts["prompt"],
        negative_prompt=texts.get("negative-prompt"),
        owner=texts.get("owner"),
        preset=preset,
        width=_integer(texts.get("width")),
        height=_integer(texts.get("height")),
        steps=_integer(texts.get("steps")),
        guidance_scale=_decimal(texts.get("guidance-scale")),
        seed=_integer(texts.get("seed")),
    )
    for name, side in (("width", request.width), ("height", request.height)):
        if side is not None and side % _SIDE_FACTOR:
            raise Problem(Code.INVALID_SIZE, f"The {name} {side} is no multiple of 8.")
    return request


def write_job(state: JobState) -> bytes:
    """One state as a `<job>` document."""
    root = etree.Element(_JOB, nsmap={None: NAMESPACE})
    _fill(root, state)
    return _serialise(root)


def write_jobs(states: Iterable[JobState]) -> bytes:
    """States as a `<jobs>` document, in their order."""
    root = etree.Element(f"{{{NAMESPACE}}}jobs", nsmap={None: NAMESPACE})
    for state in states:
        _fill(etree.SubElement(root, _JOB), state)
    return _serialise(root)


def _parse(body: bytes, encoding: str | None) -> etree._Element:
    # A new one for each document, because a parser keeps state. Not collect_ids=False: with it
    # libxml2 2.14 opens the external DTD that a DOCTYPE names, load_dtd=False or not.
    parser = etree.XMLParser(
        encoding=encoding,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Problem(
            Code.NOT_WELL_FORMED,
            "Send one well-formed XML document.",
            findings=[Finding(error.lineno or 1, (error.msg or "empty")[:_MAX_WORDS])],
        ) from None
    if root.getroottree().docinfo.doctype:
        raise Problem(Code.HAS_DOCTYPE, "Send the document without <!DOCTYPE>.")
    return root


def _validate(root: etree._Element) -> None:
    # Before the schema looks: it would follow a document's own xsi:schemaLocation.
    for element in root.iter():
        if element.attrib:
            name = etree.QName(element).localname
            raise _invalid([Finding(_line(element), f"<{name}>: a request has no attributes.")])
    if not _schema.validate(root):
        raise _invalid(
            [
                Finding(entry.line, entry.message.replace(f"{{{NAMESPACE}}}", "")[:_MAX_WORDS])
                for entry in _schema.error_log
            ]
        )
    if root.tag != _JOB or len(root) == 0 or root[0].tag != _PROMPT:
        raise _invalid([Finding(_line(root), "A request is a <job> that begins with <prompt>.")])


def _invalid(findings: list[Finding]) -> Problem:
    return Problem(
        Code.INVALID_DOCUMENT,
        "Send a <job> as /v1/schema.xsd describes it; see errors for what is wrong.",
        findings=findings,
    )


def _line(element: etree._Element) -> int:
    return element.sourceline or 1


def _integer(text: str | None) -> int | None:
    # By way of Decimal, because int() refuses thousands of leading zeros, which are valid.
    return None if text is None else int(Decimal(text.strip()))


def _decimal(text: str | None) -> float | None:
    return None if text is None else float(text) + 0.0  # -0.0 is 0.0


def _fill(element: etree._Element, state: JobState) -> None:
    element.set("id", str(state.id))
    element.set("state", state.state)
    if state.attempt is not None:
        element.set("attempt", str(state.attempt))
    _add_origin(element, state)
    if state.progress is not None:
        step, steps = state.progress
        _add(element, "progress", None, {"step": str(step), "steps": str(steps)})
    if state.position is not None:
        _add(element, "position", str(state.position))
    if state.eta_seconds is not None:
        _add(element, "eta-seconds", f"{state.eta_seconds:.1f}")
    if state.preview:
        _add(element, "preview", None, {"href": f"/v1/jobs/{state.id}/preview"})
    if state.image is not None:
        _add_image(element, state.id, state.image)
    if state.error is not None:
        code, words = state.error
        _add(element, "error", words, {"code": code})


def _add_origin(element: etree._Element, state: JobState) -> None:
    """For whom, with what, and from which noise."""
    if state.owner:
        _add(element, "owner", state.owner)
    if state.model:
        _add(element, "model", state.model)
    if state.seed is not None:
        _add(element, "seed", str(state.seed))


def _add_image(parent: etree._Element, job_id: UUID, image: Image) -> None:
    attributes = {
        "media-type": "image/png",
        "width": str(image.width),
        "height": str(image.height),
        "sha256": image.sha256,
    }
    if image.png is None:
        _add(parent, "image", None, {"href": f"/v1/jobs/{job_id}/image", **attributes})
    else:
        child = _add(parent, "image", None, attributes)
        child.text = base64.b64encode(image.png).decode()  # much, of which all is printable


def _add(
    parent: etree._Element, name: str, text: str | None, attributes: dict[str, str] | None = None
) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes or {})
    child.text = printable(text, "\ufffd") if text is not None else None
    return child


def _serialise(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
