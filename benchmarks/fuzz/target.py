"""What a target is."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random

Throw = Callable[[Random], Awaitable[None]]
"""Makes one case of the dice and throws it. Raises Broken."""

Target = Callable[[Path], AbstractAsyncContextManager[Throw]]
"""Opens a door in a folder of its own."""


class Broken(Exception):
    """The answer is not one that the documents promise.

    Attributes:
        case: what was thrown.
    """

    def __init__(self, why: str, case: bytes) -> None:
        super().__init__(why)
        self.case = case
