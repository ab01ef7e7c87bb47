"""The embedded PostgreSQL: binaries, supervisor, backups."""

from cartrita.adapters.postgres.backup import backup, require_absent, restore
from cartrita.adapters.postgres.binaries import Binaries, find
from cartrita.adapters.postgres.data_layout import major_of
from cartrita.adapters.postgres.endpoints import DatabaseEndpoint, from_url
from cartrita.adapters.postgres.errors import (
    BackupError,
    DataDirectoryInUse,
    NotABackup,
    PostgresError,
    PostgresUnavailable,
    translate_os_errors,
)
from cartrita.adapters.postgres.supervisor import Supervisor, attach

__all__ = [
    "BackupError",
    "Binaries",
    "DataDirectoryInUse",
    "DatabaseEndpoint",
    "NotABackup",
    "PostgresError",
    "PostgresUnavailable",
    "Supervisor",
    "attach",
    "backup",
    "find",
    "from_url",
    "major_of",
    "require_absent",
    "restore",
    "translate_os_errors",
]
