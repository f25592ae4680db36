"""The password file (`~/.pgpass`), read as libpq reads it."""

import logging
import re
import stat
from pathlib import Path

log = logging.getLogger(__name__)
_FIELD = re.compile(r"((?:\\.|[^:\\])*)(?::|$)")


def password(
    path: Path, *, hosts: tuple[str, ...], port: int, database: str, user: str
) -> str | None:
    """Return the password of the first line that matches; `hosts` are names of the one host."""
    for line in _lines(path):
        if line.startswith("#"):
            continue
        fields = [re.sub(r"\\(.)", r"\1", field) for field in _FIELD.findall(line)[:5]]
        if len(fields) < 5:
            continue
        wanted = ((*hosts, "*"), (str(port), "*"), (database, "*"), (user, "*"))
        if all(field in any_of for field, any_of in zip(fields, wanted, strict=False)):
            return fields[4]
    return None


def _lines(path: Path) -> list[str]:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) or mode & (stat.S_IRWXG | stat.S_IRWXO):
            log.warning("the password file is left out: it must be a file of mode 0600")
            return []
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
