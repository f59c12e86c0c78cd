"""A call's parameters: from the query, a form, a multipart form or a JSON object, all alike."""

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.storage.schema import Json
from sandbox.telegram.files import Upload, read_upload
from sandbox.telegram.formatting import message_caption, message_text
from sandbox.telegram.refusals import Refusal, bad_request

_MAX_BYTES = 51 * 1024 * 1024  # an upload of 50 MB and its fields
_MAX_FIELD_BYTES = 1024 * 1024
_MAX_FIELDS = 100
_MAX_NUMBER = 2**63
_LANGUAGE = re.compile(r"(?:[a-z]{2})?")
_INTEGER = re.compile(r"-?[0-9]{1,19}")


@dataclass(frozen=True)
class Params:
    """What a call was given.

    Attributes:
        values: every parameter as text; objects as JSON, the way forms carry them.
        files: uploads by the name of their part.
    """

    values: dict[str, str]
    files: dict[str, Upload]

    def text(self, name: str) -> str:
        """A string; empty where it is absent."""
        return self.values.get(name, "")

    def integer(self, name: str, default: int) -> int:
        """An integer.

        Raises:
            Refusal: it is something else. Telegram reads that as 0; a test should notice.
        """
        value = self.text(name)
        if not value:
            return default
        if not _INTEGER.fullmatch(value) or abs(int(value)) >= _MAX_NUMBER:
            raise bad_request(f'parameter "{name}" must be an Integer')
        return int(value)

    def boolean(self, name: str) -> bool:
        """A truth value; False where it is absent.

        Raises:
            Refusal: it is something else.
        """
        value = self.text(name).strip().lower()
        if value in {"true", "yes", "1"}:
            return True
        if value in {"", "false", "no", "0"}:
            return False
        raise bad_request(f'parameter "{name}" must be a Boolean')

    def language(self) -> str:
        """The `language_code`; empty for everybody who has none of their own.

        Raises:
            Refusal: it is none of two letters.
        """
        language = self.text("language_code")
        if not _LANGUAGE.fullmatch(language):
            raise bad_request("LANG_CODE_INVALID")
        return language

    def json(self, name: str, noun: str) -> Any:
        """A JSON value; None where it is absent.

        Args:
            name: the parameter.
            noun: what Telegram calls it in "can't parse ... JSON object".

        Raises:
            Refusal: it is no JSON.
        """
        value = self.text(name)
        if not value:
            return None
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            raise bad_request(f"can't parse {noun} JSON object") from None
        _check_unicode(json.dumps(parsed, ensure_ascii=False))
        return parsed

    def formatted_text(self) -> Json:
        """`text` and `entities` of a `Message`.

        Raises:
            Refusal: there is no text, or it is not what Telegram takes.
        """
        entities = self.json("entities", "message entities")
        return message_text(self.text("text"), self.text("parse_mode"), entities)

    def formatted_caption(self) -> Json:
        """`caption` and `caption_entities` of a `Message`, where there is a caption.

        Raises:
            Refusal: it is not what Telegram takes.
        """
        entities = self.json("caption_entities", "message entities")
        return message_caption(self.text("caption"), self.text("parse_mode"), entities)


async def read_params(request: Request) -> Params:
    """Reads a request.

    Raises:
        Refusal: the body is too large, or not what its content type says.
    """
    if int(request.headers.get("content-length", "0")) > _MAX_BYTES:
        raise Refusal(413, "Request Entity Too Large")
    values = dict(request.query_params)
    files: dict[str, Upload] = {}
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json":
        values |= _read_object(await request.body())
    elif content_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        try:
            form = await request.form(
                max_files=_MAX_FIELDS, max_fields=_MAX_FIELDS, max_part_size=_MAX_FIELD_BYTES
            )
        except HTTPException as error:
            raise bad_request(f"can't parse request body: {error.detail}") from None
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files[name] = await read_upload(value)
            else:
                values[name] = value
        await form.close()
    else:
        await request.body()
    _check_unicode("".join(values.values()))
    return Params(values, files)


def _check_unicode(text: str) -> None:
    """A lone surrogate, which JSON can express, is no text."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise bad_request("strings must be encoded in UTF-8") from None


def _read_object(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise bad_request("can't parse request body as JSON object")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in given.items()
        if value is not None
    }
