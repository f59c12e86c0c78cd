"""Photos as the captioners get them."""

import io

from PIL import Image

from lookalike.imaging import preparing


def jpeg(image: Image.Image) -> bytes:
    """The image as it is stored."""
    file = io.BytesIO()
    image.save(file, "PNG")
    return preparing.prepare(file.getvalue()).data
