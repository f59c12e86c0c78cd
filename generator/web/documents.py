"""The XML documents: requests are parsed and checked, states are written.

The schema is `protos/generator.xsd`; what XSD 1.0 cannot say, `JobRequest` checks.
"""

import base64
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from lxml import etree

from generator.jobs.messages import Aspect, Image, InitImage, JobRequest, JobState
from generator.web.problems import Code, Problem, Violation
from lookalike.text import printable
from protos import GENERATOR_NAMESPACE, generator_schema

SCHEMA = generator_schema()

_QUALIFIED = f"{{{GENERATOR_NAMESPACE}}}"
_JOB = f"{_QUALIFIED}job"
_PROMPT = f"{_QUALIFIED}prompt"
_INIT_IMAGE = f"{_QUALIFIED}init-image"
_ASPECT = f"{_QUALIFIED}aspect"
_MAX_MESSAGE = 500

_schema = etree.XMLSchema(etree.fromstring(SCHEMA))  # keeps its error log: for one thread only


def parse_request(body: bytes, encoding: str | None = None) -> JobRequest:
    """Reads a request.

    Args:
        body: the document, of a size that was checked.
        encoding: overrides what the document declares (RFC 7303, section 3).

    Raises:
        Problem: it is not well-formed, has a DOCTYPE, or is not valid by the schema.
        JobError: it is not valid by what `JobRequest` checks.
    """
    root = _parse(body, encoding)
    _validate(root)
    texts = {str(etree.QName(child).localname): child.text or "" for child in root}
    return JobRequest(
        prompt=texts["prompt"],
        negative_prompt=texts.get("negative-prompt"),
        owner=texts.get("owner"),
        preset=texts["preset"].strip() if "preset" in texts else None,
        width=_integer(texts.get("width")),
        height=_integer(texts.get("height")),
        steps=_integer(texts.get("steps")),
        guidance_scale=_decimal(texts.get("guidance-scale")),
        seed=_integer(texts.get("seed")),
        init_image=_init_image(root.find(_INIT_IMAGE)),
        aspect=_aspect(root.find(_ASPECT)),
    )


def write_job(state: JobState) -> bytes:
    """One state as a `<job>` document."""
    root = etree.Element(_JOB, nsmap={None: GENERATOR_NAMESPACE})
    _fill(root, state)
    return _serialise(root)


def write_jobs(states: Iterable[JobState]) -> bytes:
    """States as a `<jobs>` document, in their order."""
    root = etree.Element(f"{_QUALIFIED}jobs", nsmap={None: GENERATOR_NAMESPACE})
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
            violations=[Violation(error.lineno or 1, (error.msg or "empty")[:_MAX_MESSAGE])],
        ) from None
    if root.getroottree().docinfo.doctype:
        raise Problem(Code.HAS_DOCTYPE, "Send the document without <!DOCTYPE>.")
    return root


def _validate(root: etree._Element) -> None:
    # Before the schema looks: it would follow a document's own xsi:schemaLocation.
    for element in root.iter():
        own = element.tag in {_INIT_IMAGE, _ASPECT}
        if any(not own or key.startswith("{") for key in element.attrib):
            message = f"<{etree.QName(element).localname}>: a request has no such attribute."
            raise _invalid([Violation(_line(element), message)])
    if not _schema.validate(root):
        raise _invalid(
            [
                Violation(
                    entry.line,
                    entry.message.replace(_QUALIFIED, "")[:_MAX_MESSAGE],
                )
                for entry in _schema.error_log
            ]
        )
    if root.tag != _JOB or len(root) == 0 or root[0].tag != _PROMPT:
        raise _invalid([Violation(_line(root), "A request is a <job> that begins with <prompt>.")])


def _invalid(violations: list[Violation]) -> Problem:
    return Problem(
        Code.INVALID_DOCUMENT,
        "Send a <job> as /v1/schema.xsd describes it; see errors for what is wrong.",
        violations=violations,
    )


def _line(element: etree._Element) -> int:
    return element.sourceline or 1


def _integer(text: str | None) -> int | None:
    # By way of Decimal, because int() refuses thousands of leading zeros, which are valid.
    return None if text is None else int(Decimal(text.strip()))


def _init_image(element: etree._Element | None) -> InitImage | None:
    if element is None:
        return None
    strength = element.attrib["strength"].strip()
    number = None if strength.isalpha() else float(strength)
    return InitImage(element.attrib["sha256"].strip(), strength if number is None else number)


def _aspect(element: etree._Element | None) -> Aspect | None:
    if element is None:
        return None
    width, height = (int(Decimal(element.attrib[side].strip())) for side in ("width", "height"))
    return Aspect(width, height)


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
        code, message = state.error
        _add(element, "error", message, {"code": code})


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
    child = etree.SubElement(parent, f"{_QUALIFIED}{name}", attributes or {})
    child.text = printable(text, "\ufffd") if text is not None else None
    return child


def _serialise(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
