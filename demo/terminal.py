"""Makes the terminal's Ctrl-C reach the demo only, and not the `make` that started it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def own_foreground_group() -> Iterator[None]:
    """Run the body in a process group of its own, in the terminal's foreground.

    make is in the same group as its commands: on Ctrl-C it would report an error although the demo
    stopped cleanly. Nothing changes if this process already leads its group, as under a shell, or
    if there is no terminal.
    """
    if os.getpgrp() == os.getpid() or not sys.stdin.isatty():
        yield
        return
    terminal, group = sys.stdin.fileno(), os.getpgrp()
    # SIGTSTP: the shell would not notice that the demo stopped. SIGTTOU: a background process gets
    # it for the call of tcsetpgrp at the end.
    for number in (signal.SIGTSTP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, group)
