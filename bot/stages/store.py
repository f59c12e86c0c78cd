"""received -> stored: download the photo, check it, strip its metadata, give it to dbservice."""

from bot.clients.dbservice import image_info
from bot.messages import MOST_BYTES
from bot.refusals import WrongFile
from bot.services import Services
from bot.work.item import RetryLater, WorkItem
from lookalike.imaging.refusals import ImageRefused

_TRIES = 6
"""Telegram says "wrong file_id or the file is temporarily unavailable": it is gone after a minute,
which is what so many tries take."""


async def run(item: WorkItem, services: Services) -> None:
    """The stage. What follows from a photo waits until the photo's own generation is captioned."""
    if not item.is_own:
        return
    photo = item.photo
    if photo.file_size > MOST_BYTES:
        await item.fail("file-too-large", f"{photo.file_size} bytes")
        return
    async with services.downloading.turn(photo.user_id):
        try:
            data = await services.messenger.download(photo.file_id, MOST_BYTES)
            async with services.decoding.turn(photo.user_id):
                prepared = await services.decoder.prepare(data)
        except WrongFile as error:
            if "temporarily" in str(error) and item.memory.backoff.tries < _TRIES:
                raise RetryLater(None) from error
            await item.fail(error.code, str(error))
            return
        except ImageRefused as error:
            await item.fail(error.code, "the photo cannot be used")
            return
        except OSError as error:
            raise RetryLater(None) from error  # no memory or descriptors for another process
        image = image_info(prepared.data, prepared.media_type, prepared.width, prepared.height)
        await item.store_photo(image, prepared.data)
