"""`python -m generator`."""

import logging
import os

from generator.server import running
from generator.settings import GeneratorSettings
from lookalike.lifecycle import serve

if __name__ == "__main__":
    try:
        serve("generator", GeneratorSettings, running)
    except SystemExit as end:
        # Here and not with the interpreter: that would wait for a thread which the executor left
        # behind in a load or a step.
        logging.shutdown()
        os._exit(int(end.code or 0))
