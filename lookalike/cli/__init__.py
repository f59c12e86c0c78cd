"""The command line. It starts the services as processes and imports none of them."""

from lookalike.cli.commands import main

__all__ = ["main"]
