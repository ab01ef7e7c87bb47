"""Backups: one archive of a dump of the database and of the bytes of files.

Bytes that are kept in a bucket are not in it. A backup of before there were files is a dump alone.
"""

import os
import re
import tarfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import IO, Final

from cartrita.adapters import postgres
from cartrita.adapters.postgres import Binaries, DatabaseEndpoint
from cartrita.adapters.postgres.files import fsync

_DUMP: Final = "dump"
_FILE = re.compile(r"files/([0-9a-f]{32}(-image)?)")
"""The bytes as they came, or the image that was made of them."""


def write_backup(
    endpoint: DatabaseEndpoint,
    binaries: Binaries,
    folder: Path | None,
    target: Path,
    *,
    overwrite: bool = False,
) -> int:
    """Write all of it to `target` (mode 0600) atomically; returns how many files are in it.

    `folder` is where the bytes of files are. They are listed after the dump was made, so that those
    of each file that it knows are among them; bytes that it does not know do no harm. Raises
    PostgresError.
    """
    target = target.absolute()
    postgres.require_absent(target, overwrite=overwrite)
    with postgres.translate_os_errors(target.parent), _draft(target) as dump:
        postgres.backup(endpoint, binaries, dump)
        with _draft(target) as packed:
            count = _pack(packed, dump, folder)
            fsync(packed)
            postgres.require_absent(target, overwrite=overwrite)
            packed.replace(target)
        fsync(target.parent)
    return count


def read_backup(
    endpoint: DatabaseEndpoint, binaries: Binaries, folder: Path | None, source: Path, scratch: Path
) -> int:
    """Restore all of it into an empty database and `folder`; returns how many files are in it.

    Without a folder their bytes are left out. Where the database cannot be restored, none stay.
    Raises PostgresError.
    """
    source = source.absolute()
    if not source.is_file() or not tarfile.is_tarfile(source):
        postgres.restore(endpoint, binaries, source)
        return 0
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        postgres.translate_os_errors(folder or scratch),
        TemporaryDirectory(dir=scratch, prefix=".restoring-") as place,
        _opened(source) as archive,
    ):
        dump = Path(place) / _DUMP
        with dump.open("xb") as out:
            copyfileobj(_content(archive, archive.getmember(_DUMP)), out)
        with _unpacked(archive, folder) as count:
            postgres.restore(endpoint, binaries, dump)
    return count


def _pack(target: Path, dump: Path, folder: Path | None) -> int:
    count = 0
    with open(target, "xb", opener=_private) as out, tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(dump, _DUMP)
        for path in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
            name = f"files/{path.name}"
            with suppress(FileNotFoundError):  # it was deleted meanwhile
                if found := _FILE.fullmatch(name):
                    archive.add(path, name, recursive=False)
                    count += found[2] is None
    return count


@contextmanager
def _unpacked(archive: tarfile.TarFile, folder: Path | None) -> Generator[int]:
    """How many files an archive has, which are in the folder while all goes well."""
    made: list[Path] = []
    try:
        count = 0
        for member, found in _files(archive):
            count += found[2] is None
            if folder is not None:
                made += _unpack(archive, member, folder / found[1])
        if made:
            fsync(made[0].parent)
            fsync(made[0].parent.parent)
        yield count
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> list[Path]:
    """What was made of it: nothing if it is there already, under a name that nothing else has."""
    if target.exists():
        return []
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _draft(target) as draft:
        with draft.open("xb") as out:
            copyfileobj(_content(archive, member), out)
        fsync(draft)
        draft.replace(target)
    return [target]


def _files(archive: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, re.Match[str]]]:
    """The files in an archive, with what `_FILE` finds; whatever else is in it is not looked at."""
    for member in archive:
        found = _FILE.fullmatch(member.name)
        if found and member.isreg():
            yield member, found


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise KeyError(member.name)
    return content


@contextmanager
def _opened(source: Path) -> Generator[tarfile.TarFile]:
    """An archive; raises NotABackup for one that is damaged, or is something else."""
    try:
        with tarfile.open(source, "r:") as archive:
            yield archive
    except (tarfile.TarError, KeyError) as error:
        raise postgres.NotABackup(
            f"{source} is not a backup that can be read: {error}. Nothing was restored."
        ) from error


@contextmanager
def _draft(target: Path) -> Generator[Path]:
    """A name beside the target, where nothing stays."""
    draft = target.with_name(f".{target.name}-{token_hex(4)}")
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
