"""The files in the data directory beside the database: the secret and the instance id."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

from cartrita.adapters.postgres.data_layout import make_data_dir
from cartrita.cli.errors import CommandError
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

_MIN_SECRET_LENGTH = 32


class InstanceFiles(msgspec.Struct, frozen=True):
    """`secret` is what all keys are derived from; `instance` identifies the data directory."""

    secret: Secret
    instance: UUID


def open_instance_files(settings: Settings) -> InstanceFiles:
    """Read the files, or create them if they are missing. Raises CommandError, OSError."""
    folder = settings.data_dir
    make_data_dir(folder)
    secret = settings.auth.secret or _secret(folder / "secret")
    return InstanceFiles(secret, _instance(folder / "instance"))


def _secret(path: Path) -> Secret:
    text = _read_or_create(path, secrets.token_urlsafe(48))
    if len(text) < _MIN_SECRET_LENGTH:
        raise CommandError(
            f"{path} holds no whole secret: put back the one that belongs to this database, or, "
            "if there is no data yet, remove the file and start again."
        )
    return Secret(text)


def _instance(path: Path) -> UUID:
    try:
        return UUID(_read_or_create(path, str(uuid4())))
    except ValueError:
        raise CommandError(f"{path} is damaged: remove it, and a new one is made.") from None


def _read_or_create(path: Path, fresh: str) -> str:
    """The content of a private file; of several processes, the first one creates it."""
    if not path.exists():
        _create(path, fresh)
    return path.read_bytes().decode(errors="replace").strip()


def _create(path: Path, content: str) -> None:
    """Create the file atomically and durably, also if the process or machine crashes."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was first
            os.link(draft, path)
    finally:
        Path(draft).unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
