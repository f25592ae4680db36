"""A small process that outlives a killed launcher just long enough to end its children.

Run as a script with a pipe on standard input: `watch GROUP SIGNAL` and `forget GROUP`, one a
line. When the pipe closes, every process group still watched gets its signal, and SIGKILL after
a grace. A pipe closes however its writer died, on every POSIX system and whichever of its threads
started a child; Linux's parent-death signal follows the starting thread and is lost when a child
changes its user, as PostgreSQL's must.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 3.0


def watched(lines: Iterable[str]) -> dict[int, int]:
    """Read orders until the pipe closes; return what is left to end, group to signal."""
    groups: dict[int, int] = {}
    for line in lines:
        match line.split():
            case ["watch", group, number]:
                groups[int(group)] = int(number)
            case ["forget", group]:
                groups.pop(int(group), None)
    return groups


def end(groups: dict[int, int], *, grace: float) -> None:
    """Signal the groups, the newest first, and kill what is left of them after `grace` seconds."""
    remaining = [group for group, number in reversed(groups.items()) if send(group, number)]
    deadline = time.monotonic() + grace
    while remaining and time.monotonic() < deadline:
        time.sleep(0.05)
        remaining = [group for group in remaining if send(group, 0)]
    for group in remaining:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Signal a process group; whether there was one to signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    end(watched(sys.stdin), grace=GRACE)
