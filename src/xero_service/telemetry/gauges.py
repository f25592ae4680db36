"""Gauges whose values are read from the database, or are facts of the running process."""

import math
import platform
from collections.abc import Iterator
from importlib import metadata

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class StateGauge(Collector):
    """A gauge whose value is read from the database, and NaN until the first read."""

    def __init__(self, name: str, documentation: str) -> None:
        """Take the metric's name and help text."""
        self._name, self._documentation = name, documentation
        self._value = math.nan

    def set(self, value: float | None) -> None:
        """Set the value that was read; None where there is none."""
        self._value = math.nan if value is None else value

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge."""
        yield GaugeMetricFamily(self._name, self._documentation, value=self._value)


class LabelledStateGauge(Collector):
    """A `StateGauge` with one label, whose values are known from the start."""

    def __init__(self, name: str, documentation: str, label: str, values: tuple[str, ...]) -> None:
        """Take the metric's name and help text, its label and the label's values."""
        self._name, self._documentation, self._label = name, documentation, label
        self._values = dict.fromkeys(values, math.nan)

    def set(self, label_value: str, value: float | None) -> None:
        """Set the value that was read; None where there is none."""
        self._values[label_value] = math.nan if value is None else value

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge, with one sample for each value of the label."""
        family = GaugeMetricFamily(self._name, self._documentation, labels=[self._label])
        for label_value, value in self._values.items():
            family.add_metric([label_value], value)
        yield family


class BuildInfo(Collector):
    """The version of this code and of Python."""

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge, whose value is always 1."""
        family = GaugeMetricFamily(
            "xero_service_build_info",
            "The version that runs, as labels; the value is 1.",
            labels=["version", "python_version"],
        )
        family.add_metric([metadata.version("xero-service"), platform.python_version()], 1)
        yield family
