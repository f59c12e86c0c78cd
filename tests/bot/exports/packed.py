"""Exports as whoever gets them unpacks them."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from typing import Any

from tests.sandbox.client import People, ShownMessage

NAME = re.compile(r"lookalike-\d{4}-\d\d-\d\d(?:-(\d+)-of-(\d+))?\.zip")


@dataclass
class Unpacked:
    """All parts unpacked into one folder.

    Attributes:
        document: what the JSON says.
        files: all other files by their names.
        numbers: of each part, its number and how many it says there are.
        sizes: of each part, in bytes.
    """

    document: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    numbers: list[tuple[int, int]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def photos(self) -> list[dict[str, Any]]:
        photos: list[dict[str, Any]] = self.document["photos"]
        return photos

    @property
    def described(self) -> dict[str, str]:
        """The files that the JSON speaks of, and their checksums."""
        of_photos = [each for photo in self.photos for each in (photo, *photo["pictures"])]
        return {each["file"]: each["file_sha256"] for each in of_photos if "file" in each}

    @property
    def hashes(self) -> dict[str, str]:
        """The checksums of the files that there are."""
        return {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}


def documents(messages: list[ShownMessage]) -> list[ShownMessage]:
    """The bot's files in a chat."""
    return [message for message in messages if message.from_bot and message.document]


async def unpacked(people: People, chat: int) -> Unpacked:
    """Unpacks what the bot has sent; no file is there twice."""
    found = Unpacked()
    for message in documents(await people.messages(chat)):
        match = NAME.fullmatch(message.json["document"]["file_name"])
        assert match is not None
        assert message.document is not None
        found.numbers.append((int(match[1] or 1), int(match[2] or 1)))
        data = await people.original(message.document)
        found.sizes.append(len(data))
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            assert packed.testzip() is None
            for entry in packed.infolist():
                assert entry.filename not in found.files
                content = packed.read(entry)
                if entry.filename == "export.json":
                    assert not found.document
                    found.document = json.loads(content)
                else:
                    assert entry.compress_type == zipfile.ZIP_STORED
                    found.files[entry.filename] = content
    return found
