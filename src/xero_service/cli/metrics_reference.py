"""`xero-service metrics-reference`: docs/metrics.md, from the metrics of a new process."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

import typer
from prometheus_client import Metric

from xero_service.app import expect_routes
from xero_service.telemetry import Metrics
from xero_service.telemetry.buckets import SECONDS

INTRODUCTION = f"""# Metrics

`make metrics` writes this file from the code; `make check` compares them.

`GET /metrics` on the API's port and on `METRICS_PORT` answers in Prometheus's text format. Scrape
every process, `upkeep` too, as the job `xero-service`; the workers of one `serve` add up. Gauges of
state are read from the database, at most every two seconds, so that every process tells the same:
take their `max`, not their sum. They are `NaN` until the first read. Every series is there from the
start, at 0, but for those of service keys that have not called yet, and of upkeep's steps where no
upkeep runs. On Linux there are Prometheus's standard `process_…` metrics, too. Alerts and a
dashboard on these metrics are in `deploy/observability`, what to do about each alert is in
`docs/runbooks`.

Histograms have the buckets {", ".join(f"{each:g}" for each in SECONDS)} seconds.

| Metric | Type | Labels | Says |
|---|---|---|---|
"""
VALUES_AT_MOST = 9
NOT_LISTED = {"key", "version", "python_version", "le"}  # depend on the moment, or the machine


def metrics_reference() -> None:
    """Print the reference page of the metrics."""
    typer.echo(INTRODUCTION + "".join(_rows()), nl=False)


def _rows() -> Iterator[str]:
    metrics = Metrics()
    expect_routes(metrics)
    metrics.upkeep_finished.labels("")  # where upkeep runs, each step makes its own
    for family in sorted(metrics.collect(), key=lambda each: each.name):
        if family.name.startswith("process_"):  # not on every system
            continue
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = "; ".join(_described(label, values) for label, values in _labels(family).items())
        yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"


def _labels(family: Metric) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for sample in family.samples:
        for label, value in sample.labels.items():
            if label != "le":
                known = found[label]
                if value and value not in known:
                    known.append(value)
    return found


def _described(label: str, values: list[str]) -> str:
    if label in NOT_LISTED or not 0 < len(values) <= VALUES_AT_MOST:
        return f"`{label}`"
    return f"`{label}`: {', '.join(f'`{value}`' for value in values)}"
