"""The password file of the embedded database."""

import secrets
from pathlib import Path

from cartrita.adapters.postgres.errors import PasswordMissing
from cartrita.adapters.postgres.files import write_private
from cartrita.kit.secret import Secret


def load_password(data_dir: Path, cluster: Path, *, initialised: bool) -> Secret:
    """The password in `<data_dir>/postgres.password`, created if there is no database yet.

    Raises PasswordMissing where the database is `initialised` and the file is absent or empty.
    """
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
