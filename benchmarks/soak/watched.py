"""A Prometheus that watches the soak: what it has missed, and what has called somebody."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.soak.up import SERVICES
from tests.deploy.files import queries
from tests.deploy.watching import Prometheus, watch

_EVERY_SECONDS: Final = 5
_INTERVAL: Final = "1m"

_NOT_HERE: Final = "lookalike_webhook_certificate"
"""The sandbox's bot has no address in the world."""


class Watched(NamedTuple):
    """What came of it.

    Attributes:
        scraped: for each service the part of all scrapes that it answered.
        broken: rules that cannot be evaluated.
        silent: panels of the dashboard whose query has found nothing all the time.
        fired: alerts that would have called somebody.
    """

    scraped: dict[str, float]
    broken: list[str]
    silent: list[str]
    fired: list[str]


class Watch:
    """What Prometheus has seen since this was made."""

    def __init__(self, prometheus: Prometheus) -> None:
        self._prometheus = prometheus
        self._since = time.time()

    def look(self) -> Watched:
        """Asks it all."""
        groups = self._prometheus.ask("rules")["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        return Watched(
            {name: self._mean(f'up{{job="lookalike-{name}"}}') for name in SERVICES},
            [rule["name"] for rule in rules if rule["health"] != "ok"],
            [
                each.panel
                for each in queries()
                if _NOT_HERE not in each.expr and not self._history(each.over(_INTERVAL))
            ],
            [
                rule["name"]
                for rule in rules
                if rule["type"] == "alerting"
                and self._history(f'ALERTS{{alertname="{rule["name"]}", alertstate="firing"}}')
            ],
        )

    def _history(self, query: str) -> list[float]:
        return self._prometheus.history(query, self._since, _EVERY_SECONDS)

    def _mean(self, query: str) -> float:
        found = self._history(query)
        return sum(found) / len(found) if found else 0.0


@contextmanager
def watching(folder: Path, addresses: dict[str, str], token: str) -> Generator[Watch, None, None]:
    """Has Prometheus watch while the context lasts.

    Args:
        folder: where it keeps everything.
        addresses: where each service is scraped.
        token: of the services.
    """
    folder.mkdir()
    targets = {f"lookalike-{name}": address for name, address in addresses.items()}
    with watch(folder, targets, token, _EVERY_SECONDS) as prometheus:
        yield Watch(prometheus)
