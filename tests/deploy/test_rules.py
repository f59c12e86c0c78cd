"""The rules and the dashboard, as Prometheus' own tool reads them, and what each alert fires at."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.files import (
    DEPLOY,
    INTERVAL,
    NEEDS_PROMETHEUS,
    PROMETHEUS,
    dashboard,
    metrics_in,
    queries,
    read_yaml,
    recorded_in,
    rules,
)
from tests.docs.documents import rows

TESTS = Path(__file__).parent / "alerts.yml"


def promtool(*arguments: str | Path) -> str:
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@NEEDS_PROMETHEUS
@pytest.mark.parametrize(
    "targets",
    [
        PROMETHEUS / "targets.yml",
        DEPLOY / "compose" / "club-targets.yml",
        DEPLOY / "compose" / "many-targets.yml",
    ],
    ids=lambda path: path.name,
)
def test_prometheus_takes_the_configuration(tmp_path: Path, targets: Path) -> None:
    for name in ("prometheus.yml", "rules.yml"):
        shutil.copy(PROMETHEUS / name, tmp_path)
    shutil.copy(targets, tmp_path / "targets.yml")
    (tmp_path / "service-token").write_text("a-token-of-some-length")
    found = promtool("check", "config", "--lint=all", "--lint-fatal", tmp_path / "prometheus.yml")
    assert f"{len(rules('alert')) + len(rules('record'))} rules found" in found


@pytest.mark.slow
@NEEDS_PROMETHEUS
def test_each_alert_fires_when_it_should_and_not_otherwise() -> None:
    assert "SUCCESS" in promtool("test", "rules", TESTS)


def test_each_alert_is_tested_both_ways() -> None:
    fires, does_not = set[str](), set[str]()
    for test in read_yaml(TESTS)["tests"]:
        for case in test.get("alert_rule_test", ()):
            (fires if case.get("exp_alerts") else does_not).add(case["alertname"])
    assert fires == does_not == rules("alert").keys()


@pytest.mark.slow
@NEEDS_PROMETHEUS
def test_every_query_of_the_dashboard_can_be_read(tmp_path: Path) -> None:
    recorded = [
        {"record": f"query:{number}", "expr": query.over("1m")}
        for number, query in enumerate(queries())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(recorded)} rules found" in promtool("check", "rules", path)


def test_queries_and_rules_name_metrics_that_are_documented() -> None:
    documented = {name for name in rows("operations.md") if name.startswith(("look", "process_"))}
    exprs = [query.expr for query in queries()]
    exprs += [rule["expr"] for kind in ("alert", "record") for rule in rules(kind).values()]
    assert {name for expr in exprs for name in metrics_in(expr)} <= documented
    assert {name for expr in exprs for name in recorded_in(expr)} <= rules("record").keys()


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    told = {name for name in rows("operations.md") if name.startswith("lookalike_")}
    shown = {name for query in queries() for name in metrics_in(query.expr)}
    # Of the figures of /stats these are there in more detail.
    elsewhere = {"photos", "waiting_seconds", "painting_seconds", "unfinished"}
    assert told - shown == {f"lookalike_stats_{name}" for name in elsewhere}


def test_the_dashboard_asks_any_prometheus_and_has_each_panel_once() -> None:
    board = dashboard()
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["title"] for panel in panels}) == len(panels)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["description"].endswith("."), panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
    assert all(INTERVAL in query.expr for query in queries() if "rate(" in query.expr)


def test_every_alert_has_a_severity_and_its_row_in_the_documents() -> None:
    documented = {
        name: cells for name, cells in rows("operations.md").items() if name.startswith("Lookalike")
    }
    assert documented.keys() == rules("alert").keys()
    for name, rule in rules("alert").items():
        assert documented[name][1] == rule["labels"]["severity"], name
        assert rule["labels"]["severity"] in {"critical", "warning"}
