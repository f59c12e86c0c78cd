"""Where a generation is answered: in which topic, and in reply to what."""

from protos.lookalike.db.v1 import db_pb2 as db


def topic_of(photo: db.Photo) -> int | None:
    """The topic that a photo is in, and its answers; None: none."""
    return photo.message_thread_id if photo.HasField("message_thread_id") else None


def answered_by(item: db.Item) -> int:
    """The message that a picture answers."""
    generation = item.generation
    if generation.HasField("reply_to_message_id"):
        return generation.reply_to_message_id
    return item.photo.message_id
