"""Ends the processes and removes the directories of a launcher that was killed.

Runs as a script and reads commands from a pipe on standard input, one per line: `watch GROUP
SIGNAL` and `forget GROUP` for a process group, `own PATH` and `disown PATH` for a directory. When
the pipe closes, the reaper sends each watched group its signal, and SIGKILL after a grace period;
then it removes the owned directories.

A pipe closes however its writer dies, on every POSIX system. Linux's parent-death signal does not
do: it is tied to the thread that started the child, and it is lost when the child changes its
user, as PostgreSQL must.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE = 3.0


def read_commands(lines: Iterable[str]) -> tuple[dict[int, int], list[str]]:
    """Read commands until the pipe closes; return watched groups with signals, and owned paths."""
    groups: dict[int, int] = {}
    directories: list[str] = []
    for line in lines:
        match line.rstrip("\n").split(" ", 1):
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
    """Signal the groups, the newest first, and kill those that remain after `grace` seconds."""
    remaining = [group for group, number in reversed(groups.items()) if signal_group(group, number)]
    deadline = time.monotonic() + grace
    while remaining and time.monotonic() < deadline:
        time.sleep(0.05)
        remaining = [group for group in remaining if signal_group(group, 0)]
    for group in remaining:
        signal_group(group, signal.SIGKILL)


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; return whether the group exists."""
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
