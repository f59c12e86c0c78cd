"""What is shown where a picture was."""

import io
from functools import cache

from PIL import Image

_SIDE = 64  # pixels; Telegram takes nothing much smaller for a photo
_GREY = (128, 128, 128)


@cache
def nothing() -> bytes:
    """The PNG of a grey square."""
    file = io.BytesIO()
    Image.new("RGB", (_SIDE, _SIDE), _GREY).save(file, "PNG")
    return file.getvalue()
