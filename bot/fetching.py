"""A file is fetched from Telegram, of so many bytes and no more."""

import asyncio
from http import HTTPStatus
from typing import Final

from telegram import Bot, File
from telegram.error import InvalidToken, NetworkError

from bot.bounded import TooLong
from bot.refusals import TOO_BIG, CannotDeliver, TelegramUnavailable, WrongFile, translated

_READ_SECONDS: Final = 60.0
_DOWNLOAD_SECONDS: Final = 120.0


async def fetch(bot: Bot, file_id: str, most: int) -> bytes:
    """Fetches a file of at most `most` bytes.

    Raises:
        WrongFile: Telegram does not have it any more, or it is too big.
        TelegramUnavailable: it does not answer, or takes too long.
        Moved: as of any call.
    """
    try:
        async with asyncio.timeout(_DOWNLOAD_SECONDS), translated():
            file = await bot.get_file(file_id, read_timeout=_READ_SECONDS)
            if (file.file_size or 0) > most:
                raise WrongFile(TOO_BIG)
            data = await _download(file)
    except CannotDeliver as error:
        raise WrongFile(str(error)) from None
    except TimeoutError:
        raise TelegramUnavailable("a download takes too long") from None
    if len(data) > most:
        raise WrongFile(TOO_BIG)
    return bytes(data)


async def _download(file: File) -> bytearray:
    try:
        return await file.download_as_bytearray(read_timeout=_READ_SECONDS)
    except InvalidToken as error:
        # The library says that of both 401 and 404, and a 404 means here that the file is gone.
        if error.message == HTTPStatus.UNAUTHORIZED.phrase:
            raise
        raise WrongFile(error.message) from None
    except NetworkError as error:
        if isinstance(error.__cause__, TooLong):
            raise WrongFile(TOO_BIG) from None
        raise
