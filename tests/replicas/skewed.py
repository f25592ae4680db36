"""A replica whose wall clock is off by some seconds: `skewed.py SECONDS serve …`."""

import sys
from datetime import UTC, datetime, timedelta

import time_machine

from xero_service.__main__ import main

if __name__ == "__main__":
    off_by = timedelta(seconds=float(sys.argv.pop(1)))
    with time_machine.travel(datetime.now(UTC) + off_by, tick=True):
        main()
