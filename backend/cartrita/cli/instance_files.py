"""What a data directory holds besides the database: the server's secret and its own identity."""

import os
import secrets
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from cartrita.kit.secret import Secret
from cartrita.settings import Settings


class InstanceFiles(msgspec.Struct, frozen=True):
    """`secret` is the root of every key; `instance` tells this data directory from others."""

    secret: Secret
    instance: UUID


def open_instance_files(settings: Settings) -> InstanceFiles:
    """Read what is there, make what is not. Raises OSError."""
    folder = settings.data_dir
    folder.mkdir(parents=True, exist_ok=True)
    secret = settings.auth.secret
    if secret is None:
        secret = Secret(_kept(folder / "secret", secrets.token_urlsafe(48)))
    return InstanceFiles(secret, UUID(_kept(folder / "instance", str(uuid4()))))


def _kept(path: Path, fresh: str) -> str:
    """The content of a private file, written once: whoever comes second reads the first's."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(fresh + "\n")
        file.flush()
        os.fsync(file.fileno())
    return fresh
