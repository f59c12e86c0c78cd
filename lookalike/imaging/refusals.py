"""Why an image is refused, and the bounds that decide it."""

from typing import Final, Literal

RefusalCode = Literal[
    "unsupported-format",  # neither JPEG, PNG nor WebP
    "not-an-image",  # begins like one of these, but is broken or cut off
    "image-too-small",  # a side has fewer than MIN_SIDE pixels
    "image-too-large",  # more than MAX_PIXELS pixels, or a side longer than MAX_SIDE
    "image-too-costly",  # decoding it takes more time or memory than any photo needs
]
"""Why an image is refused; docs/errors.md has them too."""

MIN_SIDE: Final = 50
"""Pixels; Azure AI Vision's lower bound."""

MAX_SIDE: Final = 16_000
"""Pixels; Azure AI Vision's upper bound."""

MAX_PIXELS: Final = 40_000_000


class ImageRefused(Exception):
    """The image cannot be used.

    Attributes:
        code: why, one of `RefusalCode`.
    """

    def __init__(self, code: RefusalCode) -> None:
        super().__init__(code)
        self.code: RefusalCode = code
