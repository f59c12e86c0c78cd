"""Logging for every process: one line a record on stderr, with secrets redacted."""

import contextlib
import json
import logging
import re
import sys
from collections.abc import Generator, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from lookalike import tracing

Style: TypeAlias = Literal["text", "json"]
"""How a record is written: as a line of text, or as a JSON object on a line."""

_REDACTED = "[redacted]"
_TELEGRAM_TOKEN = re.compile(r"\d{5,}:[A-Za-z0-9_-]{30,}")
_CHATTY = (
    "aiosqlite",
    "alembic",
    "apscheduler",
    "azure",
    "httpcore",
    "httpx",
    "httpx2",
    "telegram.ext.Application",
    "urllib3",
    "uvicorn",
)


class RedactionFilter(logging.Filter):
    """Removes known secrets, and whatever looks like a bot token, from messages and tracebacks.

    It belongs on the handlers of the root logger: a filter on a logger does not see the records of
    its children. After Home Assistant's `telegram_bot`.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        # Longest first, so that a secret within another one leaves no rest.
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def redact(self, text: str) -> str:
        """`text` without secrets."""
        for secret in self._secrets:
            text = text.replace(secret, _REDACTED)
        return _TELEGRAM_TOKEN.sub(_REDACTED, text)

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record and lets it pass."""
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit; the line matters more
            text = f"{record.msg} {record.args}"
        record.msg = self.redact(text)
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self.redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self.redact(record.stack_info)
        return True


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time (RFC 3339), service, level, logger, message, traceback.

    What is logged within a span has its trace_id and span_id.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": self._service,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **tracing.current.get().ids,
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if traceback := record.exc_text or record.stack_info:
            fields["traceback"] = traceback
        return json.dumps(fields, ensure_ascii=False)


def configure(service: str, secrets: Iterable[str], style: Style = "text") -> None:
    """Sends all logging of this process to stderr, redacted.

    Args:
        service: the name in every line.
        secrets: what must never be printed.
        style: how a record is written.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(service)
        if style == "json"
        else logging.Formatter(f"%(asctime)s {service} %(levelname)s %(name)s: %(message)s")
    )
    handler.addFilter(RedactionFilter(secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


class Stream(Protocol):
    """What a record is written to."""

    def write(self, text: str) -> None: ...  # noqa: D102, as of every file
    def flush(self) -> None: ...  # noqa: D102, likewise


@contextlib.contextmanager
def sent_to(stream: Stream) -> Generator[None, None, None]:
    """While this lasts, what `configure` sent to stderr goes elsewhere."""
    before = [
        (handler, handler.setStream(stream))
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.StreamHandler)
    ]
    try:
        yield
    finally:
        for handler, old in before:
            handler.setStream(old or sys.stderr)


def lost_lines_file(home: Path) -> Path:
    """Where `lookalike up` notes how many lines of its log could not be written since its start."""
    return home / "up.lost-lines"


def message_of(line: str) -> str:
    """The message in a line that `configure` made, in either style; "" where there is none."""
    if line.startswith("{"):
        try:
            return str(json.loads(line)["message"])
        except (ValueError, KeyError):
            return ""
    return line.partition(": ")[2].rstrip()
