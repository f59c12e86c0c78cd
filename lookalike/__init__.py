"""What all of Lookalike's processes share, and the command line that starts them."""

from importlib.metadata import version

__version__ = version("lookalike")
