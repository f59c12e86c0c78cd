"""A photo and its picture in one image, to look at and to show."""

from pathlib import Path

from PIL import Image, ImageOps

_GAP = 8


def write_pair(photo: Path, picture: Path, target: Path) -> None:
    """Writes both side by side, as high as the picture is.

    Args:
        photo: the one that was sent, of any size.
        picture: what came back.
        target: the PNG that is written.
    """
    with Image.open(photo) as before, Image.open(picture) as after:
        upright = ImageOps.exif_transpose(before).convert("RGB")
        width = max(1, round(upright.width * after.height / upright.height))
        left = upright.resize((width, after.height), Image.Resampling.LANCZOS)
        pair = Image.new("RGB", (width + _GAP + after.width, after.height), "white")
        pair.paste(left)
        pair.paste(after.convert("RGB"), (width + _GAP, 0))
        pair.save(target)
