"""A migration that has landed is never edited: databases out there have run it as it was.

`migrations.sha256` holds their checksums, as `sha256sum` writes them. A migration is added to it in
the change that lands it: `python -m tests.laws.test_migrations`.
"""

import hashlib
import sys
from pathlib import Path

from tests.laws.tree import ROOT, files, name

LANDED = Path(__file__).parent / "migrations.sha256"


def checksums() -> dict[str, str]:
    """The migrations as they are now."""
    return {
        name(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(ROOT / "migrations" / "versions", ".py")
    }


def landed() -> dict[str, str]:
    """The migrations as they landed."""
    lines = LANDED.read_text().splitlines()
    return {path: checksum for checksum, path in (line.split("  ") for line in lines)}


def test_what_has_landed_is_as_it_was() -> None:
    assert landed()
    now = checksums()
    for path, checksum in landed().items():
        assert now.get(path) == checksum, f"{path} has landed: write a new migration instead"


def test_every_migration_is_recorded() -> None:
    assert set(checksums()) == set(landed()), "run `python -m tests.laws.test_migrations`"


def record() -> None:
    """Add new migrations; those that landed keep their checksums."""
    known = landed() if LANDED.exists() else {}
    lines = [f"{checksum}  {path}\n" for path, checksum in sorted((checksums() | known).items())]
    LANDED.write_text("".join(lines))


if __name__ == "__main__":
    sys.exit(record())
