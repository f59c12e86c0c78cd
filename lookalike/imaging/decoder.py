"""Images are prepared in processes that end with the image.

A decoder is a large piece of C that reads a stranger's bytes. It may take minutes or gigabytes, or
crash, and a thread cannot be stopped. So each image gets a fresh interpreter, bounded in CPU time,
memory and wall time, and killed when it is over. One waits warm: starting it takes 0.1 s, which is
spent while nobody waits.
"""

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from lookalike.imaging.child import Answer
from lookalike.imaging.preparing import Form, Prepared
from lookalike.imaging.refusals import ImageRefused, RefusalCode

WALL_SECONDS: Final = 8.0
"""For one image, whatever else the machine does."""

_COMMAND: Final = (sys.executable, "-I", "-m", "lookalike.imaging.child")

_OVER_ITS_BOUNDS: Final = {-signal.SIGXCPU, -signal.SIGKILL}
"""How the kernel ends a process that took too much time or memory."""

_log = logging.getLogger(__name__)


class Decoder:
    """Prepares images, each in a process of its own."""

    def __init__(self, form: Form = Form.PHOTO, killed: Callable[[], None] = lambda: None) -> None:
        """Starts nothing yet; the first image waits for its process.

        Args:
            form: of the images.
            killed: is called when an image was too much for its process.
        """
        self._form = form
        self._killed = killed
        self._spare: asyncio.Task[asyncio.subprocess.Process] | None = None

    async def prepare(self, data: bytes) -> Prepared:
        """Checks a JPEG, PNG or WebP file and makes it anew from its pixels; see `preparing`.

        Raises:
            ImageRefused: it cannot be used, or was too much for its process.
            OSError: no process can be started now.
        """
        async with self._process() as process:
            try:
                async with asyncio.timeout(WALL_SECONDS):
                    out, _ = await process.communicate(data)
            except TimeoutError:
                self._killed()
                raise ImageRefused("image-too-costly") from None
        if process.returncode:
            self._killed()
            raise ImageRefused(_refusal(process.returncode))
        head, _, file = out.partition(b"\n")
        answer: Answer = json.loads(head)
        if "refused" in answer:
            refused: RefusalCode = answer["refused"]  # type: ignore[assignment]  # one of ours
            raise ImageRefused(refused)
        return Prepared(file, self._form.value.media_type, answer["width"], answer["height"])

    async def warm(self) -> None:
        """Starts the process that the next image gets, if none waits."""
        if self._spare is None:
            self._spare = asyncio.create_task(self._start())
        await asyncio.wait({self._spare})

    async def close(self) -> None:
        """Ends the process that waits."""
        spare, self._spare = self._spare, None
        if spare is not None:
            with contextlib.suppress(OSError):
                await _end(await spare)

    @asynccontextmanager
    async def _process(self) -> AsyncGenerator[asyncio.subprocess.Process, None]:
        """The process that waits, or a new one; it has ended afterwards."""
        spare, self._spare = self._spare, None
        process = None if spare is None else await spare
        if process is None or process.returncode is not None:  # somebody has killed the spare
            process = await self._start()
        if self._spare is None:  # another image may have started the next one meanwhile
            self._spare = asyncio.create_task(self._start())
        try:
            yield process
        finally:
            await _end(process)

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *_COMMAND,
            self._form.name,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
        )


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.communicate()


def _refusal(returncode: int) -> RefusalCode:
    """What a process that ended without an answer means: a codec crashed, or it took too much."""
    _log.info("An image ended its process: %d.", returncode)
    return "image-too-costly" if returncode in _OVER_ITS_BOUNDS else "not-an-image"
