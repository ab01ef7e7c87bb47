"""Starting, stopping and failing, in real parent processes, as root and as an ordinary user."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.backend.adapters.postgres.conftest import (
    ANYBODY,
    EVERYBODY,
    IS_ROOT,
    Parent,
    postgres_in,
    until,
)

from cartrita.adapters.postgres import Binaries, Supervisor, errors

Parents = Callable[..., Parent]
Sql = Callable[[str, str], str]


def _never(*_: object) -> bool:
    return False


def _fill(descriptor: int) -> None:
    while True:
        os.write(descriptor, b"0" * 65536)


@EVERYBODY
def test_a_cold_start_then_a_warm_one_with_the_data_kept(
    parents: Parents, sql: Sql, workspace: Path, who: str
) -> None:
    first = parents(who=who, empty=True)
    dsn = first.started()["dsn"]
    sql(dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert first.send("poll") == {"code": None, "answers": True}
    first.stop()
    assert not postgres_in(first.cluster)

    second = parents(who=who)
    dsn = second.started()["dsn"]
    assert sql(dsn, "SELECT answer FROM kept") == "42"
    assert sql(dsn, "SELECT '[3,4]'::vector <-> '[0,0]'") == "5"
    second.stop()

    data_dir = workspace / "data"
    assert not list(data_dir.glob("postgres.new-*"))
    assert (data_dir / "postgres.log.1").exists()
    for name in ("postgres.password", "postgres.log", "lock"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((data_dir / "postgres").stat().st_mode) == 0o700


def test_the_server_is_set_up_as_promised(parents: Parents, sql: Sql) -> None:
    dsn = parents().started()["dsn"]
    promised = {
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "max_connections": "60",
        "jit": "off",
        "shared_buffers": "128MB",
        "log_error_verbosity": "terse",
        "is_superuser": "off",
    }
    shown = sql(dsn, "".join(f"SHOW {name};\n" for name in promised))
    assert dict(zip(promised, shown.split("\n"), strict=True)) == promised
    assert sql(dsn, "SELECT current_user, current_database()") == "cartrita|cartrita"
    assert sql(dsn, "SELECT to_tsvector('simple', 'ÄPFEL')") == "'äpfel':1"


def test_a_wrong_password_is_refused(parents: Parents, sql: Sql) -> None:
    dsn = parents().started()["dsn"]
    password = dsn.split(":")[2].split("@")[0]
    with pytest.raises(Exception, match="password authentication failed"):
        sql(dsn.replace(password, "guessed"), "SELECT 1")


def test_the_second_on_a_data_directory_is_refused_by_name(parents: Parents) -> None:
    first = parents()
    first.started()
    refused = parents().refused()
    assert refused["kind"] == "DataDirectoryInUse"
    assert f"process {first.pid}" in refused["sentence"]
    assert first.send("poll") == {"code": None, "answers": True}


def test_of_four_cold_starts_at_once_one_wins(parents: Parents) -> None:
    outcomes = [parent.outcome() for parent in [parents(empty=True) for _ in range(4)]]
    assert sorted(outcome["event"] for outcome in outcomes) == [*["refused"] * 3, "started"]
    refused = [outcome for outcome in outcomes if outcome["event"] == "refused"]
    assert {outcome["kind"] for outcome in refused} == {"DataDirectoryInUse"}


def test_an_interrupt_of_the_parents_group_does_not_reach_the_server(parents: Parents) -> None:
    parent = parents()
    pid = parent.started()["pid"]
    assert os.getsid(pid) == os.getpgid(pid) == pid  # neither its group nor its terminal
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.next_event() == {"event": "interrupted"}
    assert parent.send("poll") == {"code": None, "answers": True}
    parent.stop()


def test_a_role_and_a_database_that_are_gone_are_made_again(
    parents: Parents, sql: Sql, binaries: Binaries
) -> None:
    first = parents()
    dsn = first.started()["dsn"]
    administrator = dsn.replace("//cartrita:", "//postgres:").replace("/cartrita?", "/postgres?")
    sql(administrator, "DROP DATABASE cartrita; DROP ROLE cartrita")
    first.stop()
    dsn = parents().started()["dsn"]
    assert sql(dsn, "SELECT current_database()") == "cartrita"


def test_another_major_version_is_refused_with_the_way_across(
    parents: Parents, stored: Path, binaries: Binaries
) -> None:
    (stored / "postgres" / "PG_VERSION").write_text("16\n")
    refused = parents().refused()
    assert refused["kind"] == "MajorVersionMismatch"
    for word in ("16", str(binaries.major), "cartrita backup", "cartrita restore"):
        assert word in refused["sentence"]


def test_a_missing_password_is_refused_and_nothing_is_overwritten(
    parents: Parents, stored: Path
) -> None:
    (stored / "postgres.password").unlink()
    refused = parents().refused()
    assert refused["kind"] == "PasswordMissing"
    assert not (stored / "postgres.password").exists()


def test_a_changed_password_is_refused(parents: Parents, stored: Path) -> None:
    (stored / "postgres.password").write_text("changed\n")
    refused = parents().refused()
    assert refused["kind"] == "StartFailed"
    assert "postgres.password" in refused["sentence"]
    assert not postgres_in(stored / "postgres")


def test_a_directory_that_cannot_be_written_is_refused(parents: Parents, workspace: Path) -> None:
    data_dir = workspace / "foreign"
    data_dir.mkdir(mode=0o755)
    if not IS_ROOT:
        data_dir.chmod(0o500)
    refused = parents(data_dir, who="ordinary").refused()
    assert refused["kind"] == "DataDirectoryUnwritable"
    assert str(data_dir) in refused["sentence"]


@pytest.fixture
def mounted(workspace: Path) -> Iterator[Callable[[str], Path]]:
    """A small file system of its own."""
    point = workspace / "mounted"
    point.mkdir()

    def mount(size: str) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(point)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"a file system cannot be mounted here: {done.stderr.strip()}")
        return point

    yield mount
    subprocess.run(["umount", "-l", str(point)], capture_output=True, check=False)


def test_a_disk_too_small_for_the_first_start_is_said(
    parents: Parents, mounted: Callable[[str], Path]
) -> None:
    data_dir = mounted("20m") / "data"
    refused = parents(data_dir).refused()
    assert refused["kind"] == "DiskFull"
    assert not list(data_dir.glob("postgres.new-*"))


def test_a_disk_that_is_full_at_a_later_start_is_said_and_heals(
    parents: Parents, sql: Sql, mounted: Callable[[str], Path]
) -> None:
    data_dir = mounted("200m") / "data"
    first = parents(data_dir)
    sql(first.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()
    until(lambda: not postgres_in(first.cluster), "the server went with its parent")
    ballast = os.open(data_dir / "ballast", os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space"):
        _fill(ballast)
    os.close(ballast)
    refused = parents(data_dir).refused()
    assert refused["kind"] == "DiskFull", refused
    (data_dir / "ballast").unlink()
    assert sql(parents(data_dir).started()["dsn"], "SELECT answer FROM kept") == "42"


def test_a_read_only_file_system_is_said(parents: Parents, mounted: Callable[[str], Path]) -> None:
    point = mounted("200m")
    first = parents(point / "data")
    first.started()
    first.stop()
    subprocess.run(["mount", "-o", "remount,ro", str(point)], check=True)
    refused = parents(point / "data").refused()
    assert refused["kind"] == "DataDirectoryUnwritable"
    assert "Read-only file system" in refused["sentence"]


@ANYBODY
def test_a_path_too_long_for_a_socket_gets_a_short_one(
    parents: Parents, sql: Sql, workspace: Path, who: str
) -> None:
    workspace.chmod(0o777)
    parent = parents(workspace / ("d" * 60) / ("e" * 60), who=who)
    started = parent.started()
    assert not started["host"].startswith(str(workspace))
    folder = Path(started["host"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sql(started["dsn"], "SELECT 1") == "1"
    parent.stop()
    assert not folder.exists()


def test_without_sockets_it_listens_on_loopback_only(
    monkeypatch: pytest.MonkeyPatch, sql: Sql, serve: Callable[..., Supervisor]
) -> None:
    monkeypatch.setattr("cartrita.adapters.postgres.addresses._can_bind_socket", _never)
    supervisor = serve()
    endpoint = supervisor.start()
    assert endpoint.host == "127.0.0.1"
    assert sql(endpoint.dsn(), "SHOW listen_addresses") == "127.0.0.1"
    supervisor.stop()
    assert supervisor.pid is None
    supervisor.stop()  # twice is once


def test_a_server_that_never_gets_ready_is_a_timeout_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, workspace: Path, serve: Callable[..., Supervisor]
) -> None:
    status = "cartrita.adapters.postgres.servers.Server.status"
    monkeypatch.setattr(status, _never)
    supervisor = serve(start_timeout_s=0.3)
    with pytest.raises(errors.StartTimeout, match=r"0\.3 seconds.*database system"):
        supervisor.start()
    assert not postgres_in(workspace / "data" / "postgres")
    assert supervisor.pid is None


def test_a_supervisor_is_started_once_and_restarted_only_after_that(
    serve: Callable[..., Supervisor],
) -> None:
    supervisor = serve()
    with pytest.raises(RuntimeError):
        supervisor.restart()
    assert supervisor.poll() is None
    supervisor.start()
    with pytest.raises(RuntimeError):
        supervisor.start()
    assert supervisor.pid is not None
    assert supervisor.poll() is None
