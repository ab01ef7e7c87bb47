"""The embedded PostgreSQL: binaries, supervisor, backups."""

from cartrita.adapters.postgres.backup import backup, restore
from cartrita.adapters.postgres.binaries import Binaries, find
from cartrita.adapters.postgres.data_layout import major_of
from cartrita.adapters.postgres.endpoints import Endpoint, from_url
from cartrita.adapters.postgres.errors import (
    BackupError,
    DataDirectoryInUse,
    PostgresError,
    PostgresUnavailable,
)
from cartrita.adapters.postgres.supervisor import Supervisor, attach

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
