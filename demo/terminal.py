"""The terminal's Ctrl-C: for the demo alone, not also for the `make` that started it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_foreground_group() -> Iterator[None]:
    """Be the terminal's foreground process group meanwhile.

    make shares its group with what it starts and ends as interrupted on Ctrl-C, however cleanly
    the demo stopped. A shell already gives each command a group; without a terminal all stays.
    """
    if os.getpgrp() == os.getpid() or not sys.stdin.isatty():
        yield
        return
    terminal, group = sys.stdin.fileno(), os.getpgrp()
    # Nobody would notice a stop and let the shell go on; and only the foreground may hand it back.
    for number in (signal.SIGTSTP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, group)
