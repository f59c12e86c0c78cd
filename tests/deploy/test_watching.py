"""Prometheus, as Debian packages it, watches the services while photos become pictures."""

from collections.abc import Mapping
from typing import Final

import httpx
import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from lookalike.tokens import service_token
from tests.deploy.conftest import Watched
from tests.deploy.files import NEEDS_PROMETHEUS, Query, queries, rules
from tests.docs.documents import rows
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.end_to_end]

CERTIFICATE: Final = {
    "lookalike_webhook_certificate_expiry_timestamp_seconds",
    "lookalike_webhook_certificate_trusted",
}

SILENT: Final = {
    "lookalike_storage_failures_total": "no disk has failed",
    "changes(process_start_time_seconds": "nobody was started again",
    "lookalike_webhook_certificate": "BOT_PUBLIC_URL does not begin with https in any sandbox",
}
"""Parts of queries that find nothing here, and why."""

UNUSED: Final = {
    "lookalike_storage_failures_total",
    # What /stats tells is looked up once a minute, and before the first picture nobody has waited.
    "lookalike_stats_waiting_seconds",
    "lookalike_stats_painting_seconds",
}
"""Metrics whose labels only a fault shows, or the next minute."""


@NEEDS_PROMETHEUS
def test_all_services_are_scraped(watched: Watched) -> None:
    targets = watched.prometheus.ask("targets")["activeTargets"]
    assert {each["labels"]["job"]: each["health"] for each in targets} == dict.fromkeys(
        watched.addresses, "up"
    )


@NEEDS_PROMETHEUS
def test_the_rules_load_and_nobody_is_called(watched: Watched) -> None:
    def all_are_evaluated() -> bool:
        return all(rule["health"] == "ok" for rule in found())

    def found() -> list[dict[str, str]]:
        groups = watched.prometheus.ask("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(all_are_evaluated, 20)
    assert {rule["name"] for rule in found()} == {*rules("alert"), *rules("record")}
    assert [rule["name"] for rule in found() if rule.get("state") == "firing"] == []


@NEEDS_PROMETHEUS
@pytest.mark.parametrize("query", [pytest.param(each, id=each.panel) for each in queries()])
def test_every_query_of_the_dashboard_returns_something(watched: Watched, query: Query) -> None:
    asked = query.over("1m")
    if any(part in asked for part in SILENT):
        assert watched.prometheus.figures(asked) == []
    else:
        wait_until(lambda: watched.prometheus.figures(asked) != [], 20)


def _scrape(watched: Watched) -> Mapping[str, Mapping[str, Metric]]:
    """What each service tells, by the names that queries use."""
    headers = {"Authorization": f"Bearer {service_token(watched.stack.home)}"}
    found = {}
    for job, address in watched.addresses.items():
        answer = httpx.get(f"http://{address}/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.text)
        found[job.removeprefix("lookalike-")] = {
            f"{each.name}_total" if each.type == "counter" else each.name: each
            for each in families
            if not each.name.endswith("_created")  # when a series began; the client adds these
        }
    return found


def _labels(metric: Metric) -> set[str]:
    return {label for sample in metric.samples for label in sample.labels} - {"le"}


def test_the_documented_metrics_are_those_that_are_told(watched: Watched) -> None:
    documented = {
        name: cells
        for name, cells in rows("operations.md").items()
        if name.startswith(("lookalike_", "process_"))
    }
    scraped = _scrape(watched)
    for service, metrics in scraped.items():
        told = {name for name, cells in documented.items() if service in cells[3].split(", ")}
        assert told - CERTIFICATE == metrics.keys() - CERTIFICATE, service
        for name, metric in metrics.items():
            _, kind, labels, *_ = documented[name]
            assert kind == metric.type, name
            if name not in UNUSED:
                assert set(labels.replace("`", "").split(", ")) - {""} == _labels(metric), name
