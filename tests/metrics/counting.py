"""A worker that does nothing but count: `counting.py DIRECTORY`; it writes a line for each."""

import sys
from itertools import count
from pathlib import Path

from prometheus_client import Counter, Histogram

from xero_service.telemetry import worker_metrics

if __name__ == "__main__":
    worker = worker_metrics.join(Path(sys.argv[1]))
    counter = Counter("events_total", "Events.", ["kind"])
    seconds = Histogram("seconds", "Seconds.", ["kind"])
    for number in count():
        kind = f"{number % 500}: a label value that is long enough for files to grow"
        counter.labels(kind).inc()
        seconds.labels(kind).observe(0.1)
        sys.stdout.write(".")
        sys.stdout.flush()
