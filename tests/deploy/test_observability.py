"""deploy/observability: rules that promtool accepts and tests, and a dashboard of real metrics."""

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from demo import programs
from demo.stack import SERVICE
from tests.repository import ROOT
from xero_service.app import expect_routes
from xero_service.telemetry import Metrics

HERE = ROOT / "deploy/observability"
RULES = HERE / "rules.yml"
OF_UPKEEP = 'xero_service_upkeep_step_finished_timestamp_seconds{step="refresh"} 0'
# Names in a query that are no metric: functions, operators, labels and Prometheus's own series.
METRIC = re.compile(r"\b(?:xero_service|process)_[a-z_]+\b")


@cache
def promtool(*arguments: str, cwd: Path = ROOT, stdin: str | None = None) -> tuple[int, str]:
    done = subprocess.run(
        [str(programs.prometheus() / "promtool"), *arguments],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@cache
def exposition() -> str:
    """What a process with the API and upkeep exposes."""
    metrics = Metrics()
    expect_routes(metrics)
    metrics.upkeep_finished.labels("refresh")
    return metrics.render().decode()


@cache
def exposed() -> set[str]:
    return {re.split(r"[{ ]", line)[0] for line in exposition().splitlines() if line[0] != "#"}


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((HERE / "dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries() -> Iterator[str]:
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"]


def test_promtool_accepts_the_rules_o3() -> None:
    code, said = promtool("check", "rules", str(RULES))

    assert code == 0, said
    assert len(alerts()) >= 10


def test_each_alert_fires_when_it_must_and_does_not_otherwise_o3() -> None:
    code, said = promtool("test", "rules", str(HERE / "rules_test.yml"))
    assert code == 0, said

    cases = yaml.safe_load((HERE / "rules_test.yml").read_text())["tests"]
    tested = [
        (each["alertname"], bool(each["exp_alerts"]))
        for case in cases
        for each in case["alert_rule_test"]
    ]
    for alert in alerts():
        assert (alert["alert"], True) in tested
        assert (alert["alert"], False) in tested


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_names_its_page_and_metrics_that_exist_o3(alert: dict[str, Any]) -> None:
    base, path = alert["annotations"]["runbook_url"].split("}}/")
    assert base == "{{ $externalLabels.runbooks "
    assert path == f"docs/runbooks/{alert['alert']}.md"
    assert (ROOT / path).is_file()
    assert alert["labels"]["severity"] in {"page", "ticket"}
    assert set(METRIC.findall(alert["expr"])) <= exposed()


def test_every_query_of_the_dashboard_parses_o3(tmp_path: Path) -> None:
    """As a recording rule: promtool 2.42 checks no bare query."""
    rules = [{"record": f"panel:{n}", "expr": query} for n, query in enumerate(queries())]
    (tmp_path / "panels.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]})
    )

    code, said = promtool("check", "rules", str(tmp_path / "panels.yml"))

    assert code == 0, said
    assert len(rules) > 30


def test_every_query_of_the_dashboard_names_a_metric_that_is_exposed_o3() -> None:
    for query in queries():
        named = set(METRIC.findall(query))
        assert named, query
        assert named <= exposed(), query


def test_each_panel_says_what_it_shows_in_a_unit_o3() -> None:
    titles = [panel["title"] for panel in panels()]
    assert len(set(titles)) == len(titles)
    for panel in panels():
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["legendFormat"] for target in panel["targets"])


def test_names_and_units_follow_the_rules_of_prometheus_o3() -> None:
    code, said = promtool("check", "metrics", stdin=exposition())

    assert code == 0, said


def test_the_reference_of_the_metrics_is_that_of_the_code_o3() -> None:
    """As `make check` compares them; `make metrics` writes it."""
    done = subprocess.run(
        [SERVICE, "metrics-reference"], capture_output=True, text=True, check=True
    )

    assert done.stdout == (ROOT / "docs/metrics.md").read_text()


def test_the_reference_names_the_label_of_a_metric_without_series_o3() -> None:
    """Series of upkeep's steps appear where upkeep runs."""
    rows = (ROOT / "docs/metrics.md").read_text().splitlines()

    (row,) = [row for row in rows if "upkeep_step_finished" in row]

    assert "| `step` |" in row
