"""The process that prepares one image: bytes on standard input, the answer on standard output.

Its argument is the form's name. It bounds itself before it reads a byte, so that whatever a file
does to a decoder happens to this process alone. The answer is a line of JSON (an `Answer`), then
the file. The parent is `lookalike.imaging.decoder`.
"""

import io
import json
import logging
import os
import resource
import sys
from typing import Final, NoReturn, TypedDict

from PIL import Image

from lookalike.imaging import preparing
from lookalike.imaging.preparing import Form
from lookalike.imaging.refusals import MIN_SIDE, ImageRefused

CPU_SECONDS: Final = 6
"""For one image. The largest ones, of 40 million pixels, take two."""

MEMORY_BYTES: Final = 1_500_000_000
"""Of address space. The largest photos with a colour profile and transparency take under one GB."""


class Answer(TypedDict, total=False):
    """What came of an image: refused, or its size, followed by its bytes."""

    refused: str
    width: int
    height: int


def main() -> None:
    """Prepares the image and ends the process."""
    logging.disable()  # nobody reads what this process says of broken files
    form = Form[sys.argv[1]]
    _warm_up(form)
    _bound()
    data = sys.stdin.buffer.read()
    try:
        prepared = preparing.prepare(data, form)
    except ImageRefused as error:
        _write(Answer(refused=error.code))
    except MemoryError:
        _write(Answer(refused="image-too-costly"))
    else:
        _write(Answer(width=prepared.width, height=prepared.height), prepared.data)


def _warm_up(form: Form) -> None:
    """Lets Pillow load and make whatever it does with the first image, while nobody waits."""
    file = io.BytesIO()
    Image.new("RGB", (MIN_SIDE, MIN_SIDE)).save(file, "JPEG")
    preparing.prepare(file.getvalue(), form)


def _bound() -> None:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    cpu = CPU_SECONDS + round(spent.ru_utime + spent.ru_stime)
    for kind, most in (
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # it has no file to write
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, hard))


def _write(answer: Answer, data: bytes = b"") -> NoReturn:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + data)
    sys.stdout.buffer.flush()
    os._exit(0)  # the parent waits for the end, and an interpreter takes its time to tidy up


if __name__ == "__main__":
    main()
