"""Pictures to start from: every body is kept as a PNG, or refused with a problem of the list."""

import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image

from benchmarks.fuzz.images import seeds
from benchmarks.fuzz.mutations import mutated
from benchmarks.fuzz.target import Broken, Throw
from protos import PROBLEM_NAMESPACE
from tests.generator.stack import serving

_REFUSED: Final = frozenset({413, 422})
_TYPES: Final = ("image/jpeg", "image/png", "image/webp")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Throw]:
    """A generator that computes nothing."""
    files = seeds()
    async with serving(folder) as stack:

        async def throw(dice: Random) -> None:
            case = mutated(dice, files)
            sha256 = hashlib.sha256(case).hexdigest()
            path, headers = f"/v1/images/{sha256}", {"Content-Type": dice.choice(_TYPES)}
            response = await stack.client.put(path, content=case, headers=headers)
            if response.status_code in _REFUSED and PROBLEM_NAMESPACE.encode() in response.content:
                return
            if response.status_code not in {200, 201}:
                raise Broken(f"answered {response.status_code}", case)
            kept = await stack.generator.uploads.read(sha256)
            with Image.open(io.BytesIO(kept)) as image:
                if (image.format, image.mode, image.info) != ("PNG", "RGB", {}):
                    raise Broken(f"kept as {image.format}, {image.mode}, {image.info}", case)

        yield throw
