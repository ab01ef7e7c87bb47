"""A backup has the database and the bytes of files in one archive, and goes back whole or not."""

import io
import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.harness.database import Postgres, TemporaryDatabase

from cartrita.adapters import postgres as postgres_adapter
from cartrita.adapters.postgres import Binaries, DatabaseEndpoint, errors, find, psql
from cartrita.cli.backup_archive import read_backup, write_backup

NAME, IMAGE, LATE = "a" * 32, "a" * 32 + "-image", "b" * 32
Serve = Callable[..., DatabaseEndpoint]


@pytest.fixture(scope="module")
def binaries() -> Binaries:
    return find()


@pytest.fixture
def serve(postgres: Postgres) -> Iterator[Serve]:
    """Makes empty databases of this test's own."""
    made: list[TemporaryDatabase] = []

    def create() -> DatabaseEndpoint:
        made.append(postgres.create_empty())
        return made[-1].endpoint

    yield create
    for one in made:
        postgres.drop(one)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with the bytes of a file and its image, and with what is being written."""
    found = tmp_path / "files"
    found.mkdir()
    for name, content in ((NAME, b"bytes"), (IMAGE, b"image"), (f"{NAME}#1", b"dra"), ("x", b"x")):
        (found / name).write_bytes(content)
        os.utime(found / name, (1, 1))
    (found / LATE).write_bytes(b"late")
    return found


def written(serve: Serve, binaries: Binaries, folder: Path | None, target: Path) -> int:
    """A backup of a database with one table."""
    endpoint = serve()
    psql.run(binaries, endpoint, "CREATE TABLE words AS SELECT 'heliotrope' AS word")
    return write_backup(endpoint, binaries, folder, target)


def test_there_and_back(serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "all.backup"
    assert written(serve, binaries, folder, target) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.backup", "files"]
    with tarfile.open(target) as archive:
        assert archive.getnames() == ["dump", *(f"files/{name}" for name in (NAME, IMAGE, LATE))]

    endpoint, data_dir = serve(), tmp_path / "new"
    restored = data_dir / "files"
    assert read_backup(endpoint, binaries, restored, target, data_dir) == 2
    assert psql.run(binaries, endpoint, "SELECT word FROM words") == "heliotrope"
    assert {path.name: path.read_bytes() for path in restored.iterdir()} == {
        NAME: b"bytes",
        IMAGE: b"image",
        LATE: b"late",
    }
    assert [path.name for path in data_dir.iterdir()] == ["files"]
    (restored / NAME).unlink()
    with pytest.raises(errors.DatabaseNotEmpty):
        read_backup(endpoint, binaries, restored, target, data_dir)
    assert sorted(path.name for path in restored.iterdir()) == [IMAGE, LATE], (
        "nothing of a failure stays"
    )
    with pytest.raises(errors.BackupExists):
        write_backup(endpoint, binaries, folder, target)
    assert write_backup(endpoint, binaries, folder, target, overwrite=True) == 2


def test_what_comes_before_the_snapshot_of_the_dump_is_in_it(
    serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dump takes a while to begin, and has the rows of what is uploaded until then."""
    dump, upload = postgres_adapter.backup, "c" * 32

    def dump_late(*given: Any) -> None:
        (folder / upload).write_bytes(b"upload")
        dump(*given)

    monkeypatch.setattr(postgres_adapter, "backup", dump_late)
    target = tmp_path / "all.backup"
    assert written(serve, binaries, folder, target) == 3
    with tarfile.open(target) as archive:
        assert f"files/{upload}" in archive.getnames()


def test_a_loss_of_power_leaves_whole_files_or_none(
    serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is on the disk before it has its name, and its name before anything relies on it."""
    done: list[str] = []
    replace = Path.replace

    def sync(opened: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{opened}")).name
        done.append(f"sync {name.lstrip('.').split('-')[0]}")

    def rename(draft: Path, target: Path) -> Path:
        done.append(f"name {target.name}")
        return replace(draft, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", rename)
    target, data_dir = tmp_path / "all.backup", tmp_path / "new"
    (folder / IMAGE).unlink()
    (folder / LATE).unlink()
    written(serve, binaries, folder, target)
    assert done[1:] == ["sync all.backup", "name all.backup", f"sync {tmp_path.name}"], "after dump"
    done.clear()
    read_backup(serve(), binaries, data_dir / "files", target, data_dir)
    assert done == [f"sync {NAME}", f"name {NAME}", "sync files", "sync new"]


def test_bytes_in_a_bucket_are_not_in_it(serve: Serve, binaries: Binaries, tmp_path: Path) -> None:
    target = tmp_path / "all.backup"
    assert written(serve, binaries, None, target) == 0
    assert read_backup(serve(), binaries, None, target, tmp_path) == 0


def test_files_are_counted_where_they_cannot_be_restored(
    serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "all.backup"
    written(serve, binaries, folder, target)
    assert read_backup(serve(), binaries, None, target, tmp_path / "new") == 2
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_no_backup(serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path) -> None:
    target, endpoint, data_dir = tmp_path / "all.backup", serve(), tmp_path / "new"
    written(serve, binaries, folder, target)
    content = target.read_bytes()
    (tmp_path / "cut").write_bytes(content[:1000])
    with tarfile.open(tmp_path / "strange", "w") as archive:
        archive.add(folder / NAME, f"files/{NAME}")
    (tmp_path / "text").write_text("text")
    for name in ("cut", "strange", "text", "absent"):
        with pytest.raises(errors.BackupError):
            read_backup(endpoint, binaries, data_dir / "files", tmp_path / name, data_dir)
    assert not (data_dir / "files").exists() or not list((data_dir / "files").iterdir())


def test_no_member_is_written_anywhere_else(
    serve: Serve, binaries: Binaries, folder: Path, tmp_path: Path
) -> None:
    target, data_dir = tmp_path / "all.backup", tmp_path / "new"
    written(serve, binaries, folder, target)
    with tarfile.open(target, "a") as archive:
        for name in ("files/../../evil", "/evil", f"files/{NAME}/evil", "files/evil"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
        link = tarfile.TarInfo(f"files/{'d' * 32}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert read_backup(serve(), binaries, data_dir / "files", target, data_dir) == 2
    assert sorted(path.name for path in (data_dir / "files").iterdir()) == [NAME, IMAGE, LATE]
    assert not list(tmp_path.rglob("evil"))
