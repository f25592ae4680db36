"""A process of the service, as it announces itself in the database."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

ANNOUNCED_EVERY: Final = timedelta(seconds=20)
SILENT_AFTER: Final = timedelta(seconds=90)  # such a replica has ended, or cannot use the database


@dataclass(frozen=True, slots=True)
class Replica:
    """One process: its host, the version of its package, and the newest migration it carries."""

    id: UUID
    host: str
    version: str
    code: str
