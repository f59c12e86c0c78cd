"""Text and its entities: parse_mode HTML as Telegram reads it, and what it finds in people's text.

Offsets and lengths of entities count UTF-16 code units, as everywhere in the Bot API.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.storage.schema import Json
from sandbox.telegram.refusals import bad_request

MAX_TEXT = 4096
MAX_CAPTION = 1024

_ENTITIES = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "tg-spoiler": "spoiler", "span": "spoiler", "a": "text_link", "code": "code", "pre": "pre",
    "blockquote": "blockquote",
}  # fmt: skip
_GIVEN = frozenset(_ENTITIES.values())  # others Telegram finds itself
_TOKEN = re.compile(r"<(?P<end>/?)(?P<name>[^\s<>/]*)(?P<rest>[^<>]*)>|(?P<open><)|[^<]+")
_ATTRIBUTE = re.compile(r"""\s*([a-zA-Z-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_COMMAND = re.compile(r"(?<![^\s])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![A-Za-z0-9_/])")

_MENTION = re.compile(r"(?<![A-Za-z0-9_@/])@[A-Za-z0-9_]{3,32}(?![A-Za-z0-9_@])")


@dataclass(frozen=True)
class Formatted:
    """A text as it is shown.

    Attributes:
        text: without markup, without space at its ends.
        entities: each a `MessageEntity`.
    """

    text: str
    entities: list[Json]

    def fields(self, name: str, entities_name: str) -> Json:
        """The two as fields of a `Message`; nothing where the text is empty."""
        fields: Json = {name: self.text} if self.text else {}
        return fields | ({entities_name: self.entities} if self.entities else {})


def length(text: str) -> int:
    """In UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse(text: str, mode: str) -> Formatted:
    """Reads a text in a parse_mode: HTML, or none.

    Raises:
        Refusal: the markup is malformed; or another mode, which this sandbox does not read.
    """
    mode = mode.lower()
    if not mode or mode == "none" or not text:
        return Formatted(text.strip(), [])
    if mode != "html":
        raise bad_request("unsupported parse_mode")
    return _trimmed(*_parse_html(text))


def _parse_html(markup: str) -> tuple[str, list[Json]]:
    text = ""
    open_tags: list[tuple[str, int, Json]] = []
    entities: list[Json] = []
    at = 0  # in bytes, for a refusal's description
    for token in _TOKEN.finditer(markup):
        name = (token["name"] or "").lower()
        if token["open"]:
            raise _malformed(f"Unclosed start tag at byte offset {at}")
        if token["name"] is None:
            text += _REFERENCE.sub(lambda found: html.unescape(found[0]), token[0])
        elif not token["end"]:
            open_tags.append((name, length(text), _entity(name, token["rest"], at)))
        elif not open_tags:
            raise _malformed(f"Unexpected end tag at byte offset {at}")
        else:
            opened, start, entity = open_tags.pop()
            if name not in {"", opened}:
                raise _malformed(
                    f"Unmatched end tag at byte offset {at},"
                    f' expected "</{opened}>", found "</{name}>"'
                )
            if length(text) > start and entity.get("url", True):
                entities.append({**entity, "offset": start, "length": length(text) - start})
        at += len(token[0].encode("utf-8", "surrogatepass"))
    if open_tags:
        raise _malformed(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text, sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _entity(name: str, rest: str, at: int) -> Json:
    if name not in _ENTITIES:
        raise _malformed(f'Unsupported start tag "{name}" at byte offset {at}')
    attributes = {key.lower(): value.strip("\"'") for key, value in _ATTRIBUTE.findall(rest)}
    if name == "span" and attributes.get("class") != "tg-spoiler":
        raise _malformed(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    entity: Json = {"type": _ENTITIES[name]}
    if name == "a":
        entity["url"] = html.unescape(attributes.get("href", ""))
    return entity


def _malformed(detail: str) -> Exception:
    return bad_request(f"can't parse entities: {detail}")


def _trimmed(text: str, entities: list[Json]) -> Formatted:
    """Without space at the ends; entities move along."""
    cut = length(text) - length(text.lstrip())
    shown = text.strip()
    end = length(shown)
    moved = []
    for entity in entities:
        first = max(entity["offset"] - cut, 0)
        last = min(entity["offset"] - cut + entity["length"], end)
        if last > first >= 0:
            moved.append({**entity, "offset": first, "length": last - first})
    return Formatted(shown, moved)


def format_text(text: str, mode: str, entities: Any = None) -> Formatted:
    """A call's text: with the entities that it gives, or else read in its parse_mode.

    Raises:
        Refusal: they are malformed.
    """
    if mode or entities is None:
        return parse(text, mode)
    if not isinstance(entities, list):
        raise bad_request("expected an Array of MessageEntity")
    checked = [_check_entity(entity) for entity in entities]
    return _trimmed(text, [entity for entity in checked if entity["type"] in _GIVEN])


def _check_entity(entity: Any) -> Json:
    problem = "can't parse MessageEntity: "
    if not isinstance(entity, dict):
        raise bad_request(f"{problem}expected an Object")
    if not isinstance(entity.get("type"), str):
        raise bad_request(f'{problem}Field "type" must be of type String')
    for field in ("offset", "length"):
        if type(entity.get(field)) is not int:
            raise bad_request(f'{problem}Field "{field}" must be of type Number')
    kept = ("type", "offset", "length", "url", "language")
    return {name: entity[name] for name in kept if name in entity}


def message_text(text: str, mode: str, entities: Any = None) -> Json:
    """`text` and `entities` of a `Message`.

    Raises:
        Refusal: it is empty, too long or malformed.
    """
    if not text:
        raise bad_request("message text is empty")
    formatted = format_text(text, mode, entities)
    if not formatted.text:
        raise bad_request("text must be non-empty")
    if length(formatted.text) > MAX_TEXT:
        raise bad_request("message is too long")
    return formatted.fields("text", "entities")


def message_caption(caption: str, mode: str, entities: Any = None) -> Json:
    """`caption` and `caption_entities` of a `Message`; nothing where there is none.

    Raises:
        Refusal: it is too long or malformed.
    """
    formatted = format_text(caption, mode, entities)
    if length(formatted.text) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return formatted.fields("caption", "caption_entities")


def typed(text: str) -> Formatted:
    """What a person typed; commands and names in it are marked, as Telegram's server marks them."""
    found = [*_marked(text, "bot_command", _COMMAND), *_marked(text, "mention", _MENTION)]
    return Formatted(text, sorted(found, key=lambda entity: entity["offset"]))


def _marked(text: str, kind: str, pattern: re.Pattern[str]) -> Iterator[Json]:
    for found in pattern.finditer(text):
        offset = length(text[: found.start()])
        yield {"type": kind, "offset": offset, "length": length(found[0])}
