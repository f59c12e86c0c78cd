"""The ids of photos and generations: whoever comes again finds the same one."""

import uuid

_IDS = uuid.UUID("a065fd21-2ba3-4d68-9389-88e465a6c10c")
"""The namespace of photo ids. It never changes: it is how a redelivered message is recognised."""


def photo_id(bot_id: int, chat_id: int, message_id: int, asker: int | None = None) -> str:
    """The id of the photo in this message, or of what its asker has of it, who has not sent it."""
    name = f"{bot_id}:{chat_id}:{message_id}"
    return str(uuid.uuid5(_IDS, name if asker is None else f"{name}:{asker}"))


def generation_id(photo: str) -> str:
    """The id of a photo's own generation, the first."""
    return str(uuid.uuid5(uuid.UUID(photo), "0"))


def asked_id(photo: str, chat_id: int, message_id: int, count: int) -> str:
    """The id of the generation that a message asks for, and is the count-th to do so."""
    return str(uuid.uuid5(uuid.UUID(photo), f"{chat_id}:{message_id}:{count}"))


def member_id(set_id: str, place: int) -> str:
    """The id of the member at a place of a set, from 1."""
    return str(uuid.uuid5(uuid.UUID(set_id), str(place)))
