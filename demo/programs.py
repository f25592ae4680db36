"""System programs that tests need: the installed one, or else Debian's package."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from demo.processes import LaunchError
from demo.stack import STATE

STORE = STATE / "programs"
SYSTEM_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
# The browser without its windows, which renders the same and takes two thirds of the processor.
HEADLESS_SHELL = "chromium-headless-shell"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_APPS = tuple(
    Path(f"/Applications/{name}.app/Contents/MacOS/{name}")
    for name in ("Google Chrome", "Chromium")
)


def chromium() -> Path:
    """Return a Chromium or Chrome: CHROMIUM, Debian's headless shell, or an installed browser.

    As root on Debian, the headless shell is installed where it is missing.
    """
    if found := _found(os.environ.get("CHROMIUM") or "", HEADLESS_SHELL):
        return found
    installed = _found(*CHROMIUM_NAMES) or next(
        (app for app in CHROMIUM_APPS if app.exists()), None
    )
    if os.geteuid() == 0 and shutil.which("apt-get"):
        try:
            _apt("update")
            _apt("install", "--yes", "--no-install-recommends", HEADLESS_SHELL, "fonts-liberation")
        except LaunchError:
            # Other distributions have no such package.
            if installed is None:
                raise
    if found := _found(HEADLESS_SHELL) or installed:
        return found
    raise LaunchError(
        "The tests in a browser need Chromium or Chrome, and none was found. Install one, or name "
        "it with CHROMIUM=/path/to/chromium."
    )


def nginx() -> Path:
    """Return the installed nginx, or Debian's, unpacked below `.demo` so that no server starts."""
    return _found("nginx") or _unpacked("nginx", "usr/sbin/nginx")


def prometheus() -> Path:
    """Return the program directory of Prometheus and promtool; as `nginx`."""
    program = _found("prometheus") or _unpacked("prometheus", "usr/bin/prometheus")
    return program.parent


def _unpacked(package: str, program: str) -> Path:
    """Return a program of a Debian package, downloaded and unpacked once."""
    found = STORE / package / program
    if found.exists():
        return found
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise LaunchError(f"{package} was not found, and neither was apt-get to download it.")
    STORE.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _apt("update")
    _apt("download", package)
    _run("dpkg", "-x", str(max(STORE.glob(f"{package}_*.deb"))), str(STORE / package))
    return found


def pgbouncer() -> Path:
    """Return the installed PgBouncer, or Debian's, installed now."""
    if found := _found("pgbouncer"):
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", "pgbouncer")
        if found := _found("pgbouncer"):
            return found
    raise LaunchError("Some tests need PgBouncer, and none was found. Install it.")


def postgresql() -> Path:
    """Return the program directory of a PostgreSQL server with TLS; the wheel's has none.

    It is the installed one, or Debian's, unpacked below `.demo` so that no server starts.
    """
    if found := _postgresql_below(Path("/")) or _postgresql_below(STORE / "postgresql"):
        return found
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise LaunchError("PostgreSQL was not found, and neither was apt-get to download it.")
    if os.geteuid() == 0:
        _apt("update")
    named = re.search(r"Depends: (postgresql-\d+)", _run("apt-cache", "depends", "postgresql"))
    if named is None:
        raise LaunchError("Some tests need a PostgreSQL server with TLS. Install one.")
    _apt("download", named[1])
    package = str(max(STORE.glob(f"{named[1]}_*.deb")))
    if os.geteuid() == 0:
        needed = re.findall(r"\b(lib[\w.+-]+|tzdata)", _run("dpkg-deb", "-f", package, "Depends"))
        # Without LLVM, which only the JIT compiler needs.
        libraries = [each for each in needed if not each.startswith("libllvm")]
        _apt("install", "--yes", "--no-install-recommends", *libraries)
    _run("dpkg", "-x", package, str(STORE / "postgresql"))
    return _postgresql_below(STORE / "postgresql") or STORE


def _postgresql_below(root: Path) -> Path | None:
    found = root.glob("usr/lib/postgresql/*/bin/postgres")
    newest = max(found, key=lambda program: int(program.parts[-3]), default=None)
    return newest.parent if newest else None


def _found(*names: str) -> Path | None:
    places = (shutil.which(name, path=SYSTEM_PATH) for name in names if name)
    return next((Path(place) for place in places if place), None)


def _apt(*arguments: str) -> None:
    _run("apt-get", "-o", "APT::Sandbox::User=root", *arguments)


def _run(*command: str) -> str:
    STORE.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        cwd=STORE,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
    if done.returncode:
        raise LaunchError(f"`{' '.join(command)}` failed:\n\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    try:
        known = (chromium, nginx, pgbouncer, postgresql, prometheus)
        print({each.__name__: each for each in known}[sys.argv[1]]())
    except LaunchError as error:
        sys.exit(str(error))
