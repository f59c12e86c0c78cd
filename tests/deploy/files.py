"""What deploy/ has, as its tests read it."""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
PROMETHEUS: Final = DEPLOY / "prometheus"

INTERVAL: Final = "$__rate_interval"
"""What Grafana puts in place of this is at least four scrapes long."""

NEEDS_PROMETHEUS: Final = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="there is no prometheus here, see CONTRIBUTING"
)

_METRIC = re.compile(r"\b(?:lookalike|process)_\w+")
_RECORDED = re.compile(r"\blookalike:[\w:]+")


class Query(NamedTuple):
    """A query of the dashboard.

    Attributes:
        panel: the panel's title.
        expr: PromQL, with `INTERVAL` in it.
    """

    panel: str
    expr: str

    def over(self, duration: str) -> str:
        """PromQL as Prometheus takes it."""
        return self.expr.replace(INTERVAL, duration)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())


def queries() -> Sequence[Query]:
    """All of the dashboard's, the one for its annotations included."""
    board = dashboard()
    found = [
        Query(panel["title"], target["expr"])
        for panel in board["panels"]
        for target in panel.get("targets", ())
    ]
    return found + [Query(each["name"], each["expr"]) for each in board["annotations"]["list"]]


def rules(kind: str) -> Mapping[str, Any]:
    """The rules by their names: kind is `alert` or `record`."""
    groups = read_yaml(PROMETHEUS / "rules.yml")["groups"]
    return {rule[kind]: rule for group in groups for rule in group["rules"] if kind in rule}


def metrics_in(expr: str) -> set[str]:
    """The metrics of ours that a query names, a histogram by its own name."""
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in _METRIC.findall(expr)}


def recorded_in(expr: str) -> set[str]:
    """What a query takes of what other rules record."""
    return set(_RECORDED.findall(expr))
