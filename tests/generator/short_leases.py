"""`python -m generator`, but for its leases, which a test can wait for."""

from functools import partial

from generator.server import Timing, running
from generator.settings import GeneratorSettings
from lookalike.lifecycle import serve

if __name__ == "__main__":
    serve("generator", GeneratorSettings, partial(running, timing=Timing(lease_seconds=6.0)))
