"""Pictures as the page reads them."""

from typing import Any, Final

from bot import zones
from bot.callbacks import Action
from bot.recipes.children import Child, again, dialled, turned
from bot.web.gallery.links import Kind, Links
from bot.web.gallery.visitors import Visitor
from protos.lookalike.db.v1 import db_pb2 as db

_STEPS: Final = {Action.CLOSER: 1, Action.FREER: -1}


def picture(item: db.Item, visitor: Visitor, links: Links) -> dict[str, Any]:
    """A picture of the visitor's: what it shows, how it came to be, and where its bytes are."""
    generation, said = item.generation, visitor.texts.pictures
    size = generation.picture.image

    def link(kind: Kind, image_id: str) -> str:
        return links.to(kind, image_id, visitor.user_id)

    return {
        "id": generation.id,
        "title": said.sentence(item),
        "details": said.manner(item),
        "date": said.when(item, zones.now(visitor.zone)),
        "width": size.width,
        "height": size.height,
        "starred": generation.starred,
        "thumbnail": link(Kind.THUMBNAIL, generation.id),
        "image": link(Kind.IMAGE, generation.id),
        "photo": link(Kind.PHOTO, item.photo.id) if item.photo.HasField("image") else None,
        "ways": [*ways(item)],
        "shareable": bool(generation.picture.file_id),
    }


def ways(item: db.Item) -> dict[str, Child]:
    """The pictures that may follow from one, by the names of the chat's buttons.

    None while no message shows it: a picture follows from a message, and comes as a reply to it.
    """
    if not item.generation.result_message_id:
        return {}
    found = {Action.AGAIN.value: again(item)}
    for action, steps in _STEPS.items():
        if (dial := turned(item, steps)) is not None:
            found[action.value] = dialled(item, dial)
    return found
