"""The embedded PostgreSQL: its binaries, its supervisor, its backups."""

from cartrita.adapters.postgres.attachment import attach
from cartrita.adapters.postgres.backup import backup, restore
from cartrita.adapters.postgres.binaries import Binaries, find
from cartrita.adapters.postgres.endpoints import Endpoint, from_url
from cartrita.adapters.postgres.errors import (
    BackupError,
    DataDirectoryInUse,
    PostgresError,
    PostgresUnavailable,
)
from cartrita.adapters.postgres.places import major_of
from cartrita.adapters.postgres.supervisor import Supervisor

__all__ = [
    "BackupError",
    "Binaries",
    "DataDirectoryInUse",
    "Endpoint",
    "PostgresError",
    "PostgresUnavailable",
    "Supervisor",
    "attach",
    "backup",
    "find",
    "from_url",
    "major_of",
    "restore",
]
