"""Everything that can go wrong for a caller: one list of codes, one shape (RFC 9457, appendix B).

The codes are part of the contract: `docs/errors.md` lists them, callers may rely on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from lxml import etree

from lookalike.text import printable
from protos import PROBLEM_NAMESPACE

MEDIA_TYPE = "application/problem+xml"


class Code(Enum):
    """Why a request is not answered with what it asked for: code, HTTP status, title."""

    BAD_REQUEST = "bad-request", 400, "The request cannot be understood"
    NOT_WELL_FORMED = "not-well-formed", 400, "The body is not well-formed XML"
    HAS_DOCTYPE = "has-doctype", 400, "A document type declaration is not allowed"
    UNAUTHORIZED = "unauthorized", 401, "The bearer token is missing or wrong"
    NO_SUCH_PATH = "no-such-path", 404, "There is nothing at this path"
    NOT_A_UUID = "not-a-uuid", 404, "The job's id is no UUID"
    UNKNOWN_JOB = "unknown-job", 404, "Nobody submitted a job under this id"
    NO_IMAGE = "no-image", 404, "The job has no picture"
    NOT_A_CHECKSUM = "not-a-checksum", 404, "The image's name is no SHA-256"
    NO_SUCH_IMAGE = "no-such-image", 404, "Nobody uploaded this image, or it is gone"
    NO_PREVIEW = "no-preview", 404, "The job has no preview"
    METHOD_NOT_ALLOWED = "method-not-allowed", 405, "The path does not take this method"
    NOT_ACCEPTABLE = "not-acceptable", 406, "The Accept header excludes every answer there is"
    BODY_TOO_SLOW = "body-too-slow", 408, "The body did not arrive in time"
    JOB_CONFLICT = "job-conflict", 409, "Another job is known under this id"
    JOB_CANCELLED = "job-cancelled", 409, "The job was cancelled"
    IMAGE_IN_USE = "image-in-use", 409, "An unfinished job starts from the image"
    BODY_TOO_LARGE = "body-too-large", 413, "The body is too large"
    IMAGE_TOO_LARGE = "image-too-large", 413, "The image has too many pixels"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type", 415, "The body's type is not taken"
    INVALID_DOCUMENT = "invalid-document", 422, "The document is not valid"
    INVALID_SIZE = "invalid-size", 422, "The picture's size is not possible"
    UNKNOWN_PRESET = "unknown-preset", 422, "The preset does not exist"
    PRESET_UNAVAILABLE = "preset-unavailable", 422, "The preset cannot be used here"
    UNKNOWN_IMAGE = "unknown-image", 422, "The picture to start from is not there"
    INVALID_IMAGE = "invalid-image", 422, "The bytes are no image that can be used"
    CHECKSUM_MISMATCH = "checksum-mismatch", 422, "The bytes have another checksum"
    INVALID_QUERY = "invalid-query", 422, "The query is not valid"
    REFUSED_BY_SAFETY = "refused-by-safety", 422, "The safety filter refused the picture"
    CANNOT_COMPUTE = "cannot-compute", 422, "The job cannot be computed"
    QUEUE_FULL = "queue-full", 429, "The queue is full"
    INTERNAL_ERROR = "internal-error", 500, "The service has a fault"
    JOB_FAILED = "job-failed", 500, "The job failed"
    NOT_READY = "not-ready", 503, "The model is not loaded yet"
    STOPPING = "stopping", 503, "The service is stopping"
    STUCK = "stuck", 503, "The worker hangs"
    STORAGE_FAILED = "storage-failed", 503, "The storage does not work"
    DISK_FULL = "disk-full", 507, "The disk is full"

    def __init__(self, code: str, status: int, title: str) -> None:
        self.code = code
        self.status = status
        self.title = title


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong in a document.

    Attributes:
        line: where, from 1.
        message: what.
    """

    line: int
    message: str


class Problem(Exception):
    """A request that is answered with an error.

    Attributes:
        code: which one of the list.
        detail: a sentence on what the caller can do about it.
        headers: what goes with the answer, such as Retry-After.
        violations: what is wrong in the document, at most the first ten.
    """

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.violations = tuple(violations[:10])


def write(problem: Problem) -> bytes:
    """The problem as `application/problem+xml`."""
    root = etree.Element(f"{{{PROBLEM_NAMESPACE}}}problem", nsmap={None: PROBLEM_NAMESPACE})
    for name, text in (
        ("type", f"urn:lookalike:problem:{problem.code.code}"),
        ("title", problem.code.title),
        ("detail", problem.detail),
        ("status", str(problem.code.status)),
        ("code", problem.code.code),
    ):
        _add(root, name, text)
    if problem.violations:
        errors = _add(root, "errors")
        for violation in problem.violations:
            item = _add(errors, "i")  # what appendix B calls an array's item
            _add(item, "line", str(violation.line))
            _add(item, "detail", violation.message)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{PROBLEM_NAMESPACE}}}{name}")
    child.text = printable(text, "\ufffd") if text is not None else None
    return child
