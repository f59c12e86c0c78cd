"""What the captioners on this machine share: one thread, and a model loaded when it is needed."""

import asyncio
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from bot.captioners.base import Caption, CaptionerMisconfigured, PhotoRefused

Describe = Callable[[Image.Image], Caption]
"""Says what an RGB image shows; it runs on the captioner's thread."""


class LocalCaptioner:
    """A model on a thread of its own; photos are looked at one after the other."""

    def __init__(self, name: str, load: Callable[[], Describe]) -> None:
        """Loads nothing yet.

        Args:
            name: which captioner it is.
            load: brings the model into memory when the first photo comes, on the thread.
        """
        self.name = name
        self._load = load
        self._describe: Describe | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"captioner-{name}")

    async def caption(self, image: bytes) -> Caption:
        """Looks at the photo; see `Captioner`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look, image)

    async def close(self) -> None:
        """Drops what waits; what is being looked at ends by itself."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _look(self, image: bytes) -> Caption:
        if self._describe is None:
            self._describe = self._loaded()
        try:
            with Image.open(io.BytesIO(image), formats=["JPEG"]) as photo:
                pixels = photo.convert("RGB")
        except OSError as error:
            raise PhotoRefused(f"the photo cannot be read: {error}") from None
        return self._describe(pixels)

    def _loaded(self) -> Describe:
        try:
            return self._load()
        except (
            Exception
        ) as error:  # broken weights and half-installed packages raise nearly anything
            raise CaptionerMisconfigured(
                f"the {self.name} captioner cannot be loaded: {error}"
            ) from error
