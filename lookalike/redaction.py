"""What must be redacted: the secrets of the settings, and those of the environment besides."""

from collections.abc import Iterable

from lookalike import proxies, tracing


def all_secrets(own: Iterable[str]) -> list[str]:
    """What neither a log nor a finding may have.

    Args:
        own: the secrets of the settings.
    """
    return [*own, *tracing.secrets(), *proxies.secrets()]
