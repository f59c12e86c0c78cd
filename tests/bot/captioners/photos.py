"""Photos as the captioners get them."""

import io

from PIL import Image

from bot import images


def jpeg(image: Image.Image) -> bytes:
    """The image as it is stored."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return images.prepare(file.getvalue()).data
