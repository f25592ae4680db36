"""Metrics of the database connections of this process: size, in use, waiting, waited."""

from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from xero_service.telemetry.buckets import SECONDS

POOLS = ("transactions", "single_statements", "background")


class PoolUse(NamedTuple):
    """How many connections a pool may open, how many are in use, and how many callers wait."""

    size: int
    in_use: int
    waiting: int


class DatabasePools:
    """The pools; `background` is the part of `transactions` that background work may use."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register the metrics, with every value of their labels."""
        self._size, self._in_use, self._waiting = (
            Gauge(
                f"xero_service_database_pool_{name}",
                documentation,
                ["pool"],
                registry=registry,
                multiprocess_mode="sum",
            )
            for name, documentation in (
                ("size", "Connections that a pool may open at most."),
                ("in_use", "Connections in use."),
                ("waiting", "Callers that wait for a connection."),
            )
        )
        self._waited = Histogram(
            "xero_service_database_pool_wait_seconds",
            "Time that callers waited for a connection, of those that had to wait.",
            ["pool"],
            buckets=SECONDS,
            registry=registry,
        )
        self._timeouts = Counter(
            "xero_service_database_pool_timeouts_total",
            "Callers that waited for a connection in vain, and were answered 503.",
            ["pool"],
            registry=registry,
        )
        for pool in POOLS:
            self.use(pool, PoolUse(0, 0, 0))
            self._waited.labels(pool)
            self._timeouts.labels(pool)

    def use(self, pool: str, use: PoolUse) -> None:
        """Set what a pool's use is now."""
        self._size.labels(pool).set(use.size)
        self._in_use.labels(pool).set(use.in_use)
        self._waiting.labels(pool).set(use.waiting)

    def waited(self, pool: str, seconds: float, in_vain: bool) -> None:
        """Count a caller that had to wait; `in_vain`: it got no connection."""
        self._waited.labels(pool).observe(seconds)
        if in_vain:
            self._timeouts.labels(pool).inc()
