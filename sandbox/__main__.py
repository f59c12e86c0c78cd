"""`python -m sandbox`."""

from lookalike.lifecycle import serve
from sandbox.server import running
from sandbox.settings import SandboxSettings

if __name__ == "__main__":
    serve("sandbox", SandboxSettings, running)
