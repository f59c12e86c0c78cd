"""Secrets in files: a variable whose name ends in `_FILE` names the file, in place of the secret.

So a container, a pod or a unit of systemd is given them (docs/operations.md, Secrets): neither
`.env` nor the environment, which children inherit, then has the secret itself.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

ENDING: Final = "_FILE"
"""What the names of such variables end in."""

_MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class _Named:
    """What stands for a secret until its file is read.

    Attributes:
        variable: names the file.
        path: the file, as it is named.
        doubled: whether the secret is set as well.
    """

    variable: str
    path: str
    doubled: bool


def _read(value: Any) -> Any:
    if not isinstance(value, _Named):
        return value
    if value.doubled:
        raise ValueError(f"{value.variable} is set as well; keep one of them")
    try:
        return read(value.path)
    except ValueError as error:
        # Without the file's name: it may be the secret itself, which somebody has put there.
        raise ValueError(f"the file that {value.variable} names {error}") from None


MAY_BE_IN_FILE: Final = BeforeValidator(_read)
"""Marks, in an annotation, what may be in a file; and reads it."""


def read(path: str) -> str:
    """What a file has, without the ends of lines after it.

    Args:
        path: the file; `~` is the home folder.

    Raises:
        ValueError: it cannot be read, or has no secret; the message is the end of a sentence.
    """
    file = Path(os.path.expanduser(path))  # noqa: PTH111, which leaves alone what it does not know
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe may keep us waiting for ever
            raise ValueError("is no file")
        with file.open("rb") as opened:
            data = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or error}") from None
    if len(data) > _MOST_BYTES:
        raise ValueError(f"has more than {_MOST_BYTES // 1024} KiB, so it is no secret")
    try:
        secret = data.decode("utf-8-sig").rstrip("\r\n")  # editors leave marks and line ends
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    if not secret:
        raise ValueError("is empty")
    return secret


def variables(fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    """The variables that name files, by the fields whose values may be in these."""
    return {
        name: name.upper() + ENDING
        for name, field in fields.items()
        if MAY_BE_IN_FILE in (*field.metadata, *_parts(field.annotation))
    }


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation, and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)


class Source(PydanticBaseSettingsSource):
    """A settings source for secrets that are in files."""

    def __init__(
        self, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource
    ) -> None:
        """Takes the variables that other sources have.

        Args:
            settings_cls: whose settings they are.
            sources: the environment and `.env`, in the order in which they win.
        """
        super().__init__(settings_cls)
        self._variables = variables(settings_cls.model_fields)
        self._given: dict[str, str | None] = {}
        for source in reversed(sources):
            if isinstance(source, EnvSettingsSource):
                self._given |= source.env_vars

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """What stands for the secret, the field's name, and that it is no JSON."""
        del field
        variable = self._variables[field_name]
        path = self._given.get(variable.lower())
        named = _Named(variable, path, field_name in self._given) if path else None
        return named, field_name, False

    def __call__(self) -> dict[str, Any]:
        """What stands for each secret that is in a file, by its field."""
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in self._variables}
        return {name: named for name, named in found.items() if named is not None}
