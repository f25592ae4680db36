"""A small process that outlives a killed launcher just long enough to clear up after it.

Run as a script with a pipe on standard input and orders on it, one a line: `watch GROUP SIGNAL`
and `forget GROUP` for a process group, `own PATH` and `disown PATH` for a directory. When the pipe
closes, every group still watched gets its signal, and SIGKILL after a grace; then the directories
still owned are removed. A pipe closes however its writer died, on every POSIX system and whichever
of its threads started a child; Linux's parent-death signal follows the starting thread and is lost
when a child changes its user, as PostgreSQL's must.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 3.0


def read_commands(orders: Iterable[str]) -> tuple[dict[int, int], list[str]]:
    """Read orders until the pipe closes; return groups, each with its signal, and directories."""
    groups: dict[int, int] = {}
    directories: list[str] = []
    for order in orders:
        match order.rstrip("\n").split(" ", 1):
            case ["watch", what]:
                group, number = what.split()
                groups[int(group)] = int(number)
            case ["forget", group]:
                groups.pop(int(group), None)
            case ["own", path]:
                directories.append(path)
            case ["disown", path]:
                directories.remove(path)
    return groups, directories


def terminate(groups: dict[int, int], *, grace: float) -> None:
    """Signal the groups, the newest first, and kill what is left of them after `grace` seconds."""
    remaining = [group for group, number in reversed(groups.items()) if signal_group(group, number)]
    deadline = time.monotonic() + grace
    while remaining and time.monotonic() < deadline:
        time.sleep(0.05)
        remaining = [group for group in remaining if signal_group(group, 0)]
    for group in remaining:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Signal a process group; whether there was one to signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    watched, owned = read_commands(sys.stdin)
    terminate(watched, grace=GRACE)
    for directory in owned:
        shutil.rmtree(directory, ignore_errors=True)
