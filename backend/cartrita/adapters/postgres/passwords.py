"""The database's password: one file in the data directory that only its owner reads."""

import os
import secrets
from pathlib import Path

from cartrita.adapters.postgres.errors import PasswordMissing
from cartrita.kit.secret import Secret


def keep(data_dir: Path, cluster: Path, *, initialised: bool) -> Secret:
    """The password in `<data_dir>/postgres.password`, made if there is no database yet."""
    path = data_dir / "postgres.password"
    try:
        known = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        known = ""
    if known:
        return Secret(known)
    if initialised:
        raise PasswordMissing(path, cluster)
    fresh = secrets.token_urlsafe(24)
    write_private(path, fresh + "\n")
    return Secret(fresh)


def write_private(path: Path, text: str) -> None:
    """A whole file with mode 0600 on the disk, or none."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
