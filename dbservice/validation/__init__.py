"""What a request must look like, before anything is done with it."""

from google.protobuf.message import Message

from dbservice.errors import invalid
from dbservice.validation import broadcasts, people, work
from dbservice.validation.rules import Violations, violations

__all__ = ["broadcasts", "check", "people", "work"]


def check(request: Message) -> None:
    """Refuses a request, or one message of a stream of them, that the contract does not allow.

    Raises:
        ServiceError: INVALID_ARGUMENT, with every field that is at fault.
    """
    found = (*violations(request), *_nul("", request))
    if found:
        raise invalid(*found)


def _nul(prefix: str, message: Message) -> Violations:
    """Every text with a NUL, which not every database keeps."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING:
            if "\0" in "".join(getattr(message, field.name)):  # of one text or of several
                yield f"{prefix}{field.name}", "must not contain a NUL character"
        elif field.type == field.TYPE_MESSAGE:
            value = getattr(message, field.name)
            inner = value if field.is_repeated else [value] if message.HasField(field.name) else ()
            for each in inner:
                yield from _nul(f"{prefix}{field.name}.", each)
