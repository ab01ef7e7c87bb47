"""What a data directory holds besides the database: the server's secret and its own identity."""

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

_SHORTEST_SECRET = 32


class InstanceFiles(msgspec.Struct, frozen=True):
    """`secret` is the root of every key; `instance` tells this data directory from others."""

    secret: Secret
    instance: UUID


def open_instance_files(settings: Settings) -> InstanceFiles:
    """Read what is there, make what is not. Raises CommandError, OSError."""
    folder = settings.data_dir
    make_data_dir(folder)
    secret = settings.auth.secret or _secret(folder / "secret")
    return InstanceFiles(secret, _instance(folder / "instance"))


def _secret(path: Path) -> Secret:
    text = _kept(path, secrets.token_urlsafe(48))
    if len(text) < _SHORTEST_SECRET:
        raise CommandError(
            f"{path} holds no whole secret: put back the one that belongs to this database, or, "
            "if there is no data yet, remove the file and start again."
        )
    return Secret(text)


def _instance(path: Path) -> UUID:
    try:
        return UUID(_kept(path, str(uuid4())))
    except ValueError:
        raise CommandError(f"{path} is damaged: remove it, and a new one is made.") from None


def _kept(path: Path, fresh: str) -> str:
    """The content of a private file, written once: whoever comes second reads the first's."""
    if not path.exists():
        _create(path, fresh)
    return path.read_bytes().decode(errors="replace").strip()


def _create(path: Path, content: str) -> None:
    """The file is there whole or not at all, whenever this process or the machine ends."""
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
