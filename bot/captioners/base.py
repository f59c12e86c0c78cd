"""What every captioner is, and how it says that it cannot answer."""

from dataclasses import dataclass
from typing import Final, Protocol

from lookalike.text import printable

MAX_CHARACTERS: Final = 500
"""Of a caption."""


class CaptionerUnavailable(Exception):
    """No caption now; asking again later may give one.

    Attributes:
        retry_after: how many seconds the captioner wants to be left alone, if it said so.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class CaptionerMisconfigured(Exception):
    """No caption for any photo until the operator changes something; the text says what."""


class PhotoRefused(Exception):
    """The captioner will not take this photo, now or later; the text says why."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One sentence about a photo.

    Attributes:
        text: as `clean_text` gives it.
        confidence: 0 to 1; None where the captioner knows none.
        model: the model and its version, as the captioner names it.
        guesses: sentences that it might have said, the best first, `text` among them; none where it
            has but one.
    """

    text: str
    confidence: float | None
    model: str
    guesses: tuple[str, ...] = ()


class Captioner(Protocol):
    """Says in one sentence what a photo shows."""

    @property
    def name(self) -> str:
        """Which one it is: azure, blip, offline."""

    async def caption(self, image: bytes) -> Caption:
        """A caption for a photo as `bot.images.prepare` gives it.

        Raises:
            CaptionerUnavailable: ask again later.
            CaptionerMisconfigured: the operator has to act first.
            PhotoRefused: not this photo.
        """

    async def close(self) -> None:
        """Lets go of connections and threads. No caption is asked for afterwards."""


def clean_text(text: str) -> str:
    """A caption fit for a chat and for XML 1.0.

    Runs of whitespace become one space, controls and what XML does not allow are dropped, and what
    is over MAX_CHARACTERS is cut off.

    Raises:
        CaptionerUnavailable: nothing is left.
    """
    cleaned = " ".join(printable(text).split())[:MAX_CHARACTERS].rstrip()
    if not cleaned:
        raise CaptionerUnavailable("the answer holds no caption")
    return cleaned
