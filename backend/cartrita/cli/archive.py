"""`cartrita backup` and `restore`: everything in one file, the way across a major version too."""

from pathlib import Path

from cartrita.adapters import postgres
from cartrita.adapters.postgres import binaries
from cartrita.cli.reach import reached
from cartrita.settings import Settings


def backup(settings: Settings, file: Path, *, replace: bool) -> None:
    """Write the whole database into one file, while the server runs or not."""
    with reached(settings) as endpoint:
        postgres.backup(endpoint, binaries.find(), file, overwrite=replace)
    print(f"Wrote {file}.")
    if settings.auth.secret is None:
        print(
            f"Keep {settings.data_dir / 'secret'} with it: without this file the keys in the "
            "backup are of no use."
        )


def restore(settings: Settings, file: Path) -> None:
    """Read a backup into an empty database."""
    with reached(settings) as endpoint:
        postgres.restore(endpoint, binaries.find(), file)
    print(f"Restored {file}.")
