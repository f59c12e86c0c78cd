"""The generator's documents as the bot writes and reads them (`protos/generator.xsd`)."""

from dataclasses import dataclass
from decimal import Decimal

from lxml import etree

from protos import GENERATOR_NAMESPACE, PROBLEM_NAMESPACE
from protos.lookalike.db.v1 import db_pb2 as db


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
        error: the same as a message.
        preview: whether it can be seen where it is.
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
    preview: bool = False


@dataclass(frozen=True)
class InitImage:
    """The picture that a job starts from; it is uploaded before.

    Attributes:
        sha256: of its file, in hex.
        strength: how much of it is painted anew: a step of the dial, `twin`, `sibling` or
            `cousin`, or a decimal number above 0, up to 1.
    """

    sha256: str
    strength: str


class NotUnderstood(ValueError):
    """A document that the generator would not write; the text says what is wrong."""


def write_request(
    parameters: db.Parameters,
    owner: str,
    *,
    init: InitImage | None = None,
    aspect: tuple[int, int] | None = None,
) -> bytes:
    """The document that submits a job.

    Args:
        parameters: what is asked for.
        owner: for whom.
        init: what it starts from; None: words alone.
        aspect: width and height that the picture's proportions follow, where its size is not asked
            for; None: those of `init`, if there is one.
    """
    root = etree.Element(f"{{{GENERATOR_NAMESPACE}}}job", nsmap={None: GENERATOR_NAMESPACE})

    def add(name: str, value: str) -> None:
        etree.SubElement(root, f"{{{GENERATOR_NAMESPACE}}}{name}").text = value

    def add_empty(name: str, **attributes: str) -> None:
        etree.SubElement(root, f"{{{GENERATOR_NAMESPACE}}}{name}", attributes)

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
    if init is not None:
        add_empty("init-image", sha256=init.sha256, strength=init.strength)
    if aspect is not None and not (parameters.HasField("width") or parameters.HasField("height")):
        add_empty("aspect", width=str(aspect[0]), height=str(aspect[1]))
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def read_job(content: bytes) -> Job:
    """One job.

    Raises:
        NotUnderstood: it is no such document.
    """
    return _job(_parse(content))


def read_jobs(content: bytes) -> dict[str, Job]:
    """Several jobs, by id.

    Raises:
        NotUnderstood: it is no such document.
    """
    return {element.get("id", ""): _job(element) for element in _parse(content)}


def read_problem(content: bytes) -> tuple[str, str]:
    """The code and the detail of a problem (RFC 9457); empty where the document has none.

    Raises:
        NotUnderstood: it is not XML.
    """
    root = _parse(content)
    code = root.findtext(f"{{{PROBLEM_NAMESPACE}}}code", default="")
    return code, root.findtext(f"{{{PROBLEM_NAMESPACE}}}detail", default="")


def _parse(content: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise NotUnderstood("its answer is not XML") from None


def _job(element: etree._Element) -> Job:
    try:
        return _read(element)
    except ValueError:
        raise NotUnderstood("its answer is not understood") from None


def _read(element: etree._Element) -> Job:
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
        preview=child("preview") is not None,
    )
