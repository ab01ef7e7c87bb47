"""Recovery after the parent, the server or both were killed at any moment."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.backend.adapters.postgres.conftest import (
    ANYBODY,
    AS_ROOT,
    EVERYBODY,
    IS_ROOT,
    Parent,
    postgres_in,
    until,
)

from cartrita.adapters.postgres import Binaries, from_url, os_users, psql
from cartrita.adapters.postgres.server_processes import find_pids_with_lsof

Parents = Callable[..., Parent]
Sql = Callable[[str, str], str]

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux signals a death")
WATCHES = [pytest.param("kernel", marks=LINUX), "pipe"]
# Each user and each watch in the fast suite, the other two pairs in the slow one.
PAIRS = [
    pytest.param("root", "kernel", marks=[LINUX, AS_ROOT]),
    pytest.param("ordinary", "pipe"),
    pytest.param("root", "pipe", marks=[AS_ROOT, pytest.mark.slow]),
    pytest.param("ordinary", "kernel", marks=[LINUX, pytest.mark.slow]),
]


@pytest.fixture
def busy(binaries: Binaries) -> Iterator[Callable[[str], None]]:
    """A backend that computes for ever and so never notices that its server is gone."""
    running: list[subprocess.Popen[bytes]] = []

    def spin(dsn: str) -> None:
        endpoint = from_url(dsn)
        client = subprocess.Popen(
            [
                str(binaries.program("psql")),
                "-Xw",
                "-d",
                endpoint.conninfo(),
                "-c",
                "DO $$ BEGIN LOOP END LOOP; END $$",
            ],
            env=dict(psql.password_variable(endpoint)),
            stderr=subprocess.DEVNULL,
        )
        running.append(client)
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO %' AND state='active'"
        until(lambda: psql.run(binaries, endpoint, active) == "1", "a busy backend")

    yield spin
    for client in running:
        client.kill()
        client.wait()


@pytest.mark.parametrize(("who", "watch"), PAIRS)
def test_a_killed_parent_takes_the_server_along(
    parents: Parents, sql: Sql, who: str, watch: str
) -> None:
    first = parents(who=who, parent_watch=watch)
    sql(first.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()
    until(lambda: not postgres_in(first.cluster), "the server went with its parent")
    second = parents(who=who, parent_watch=watch)
    assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"
    second.stop()


def test_a_start_right_after_the_parents_death_does_not_wait_for_luck(
    parents: Parents, sql: Sql
) -> None:
    first = parents()
    sql(first.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    first.kill()
    second = parents()
    assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"


@pytest.mark.parametrize(("who", "watch"), PAIRS)
def test_a_killed_server_is_restarted_at_the_same_address_even_beside_a_busy_orphan(
    parents: Parents, sql: Sql, busy: Callable[[str], None], who: str, watch: str
) -> None:
    parent = parents(who=who, parent_watch=watch)
    started = parent.started()
    sql(started["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    busy(started["dsn"])
    orphans = postgres_in(parent.cluster) - {started["pid"]}
    os.kill(started["pid"], signal.SIGKILL)
    until(lambda: parent.send("poll") == {"code": -signal.SIGKILL, "answers": False}, "noticed")
    restarted = parent.send("restart")
    assert restarted["pid"] != started["pid"]
    assert not orphans & postgres_in(parent.cluster)
    assert sql(started["dsn"], "SELECT answer FROM kept") == "42"
    assert parent.send("poll") == {"code": None, "answers": True}
    parent.stop()
    assert not postgres_in(parent.cluster)


@EVERYBODY
def test_both_killed_and_the_next_start_recovers_beside_a_busy_orphan(
    parents: Parents, sql: Sql, busy: Callable[[str], None], who: str
) -> None:
    first = parents(who=who)
    started = first.started()
    sql(started["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    busy(started["dsn"])
    orphans = postgres_in(first.cluster)
    os.kill(started["pid"], signal.SIGKILL)
    first.kill()
    second = parents(who=who)
    assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"
    assert not orphans & postgres_in(second.cluster)
    second.stop()


@AS_ROOT
def test_a_root_that_may_not_look_at_others_finds_the_orphan_too(
    parents: Parents, sql: Sql, busy: Callable[[str], None]
) -> None:
    """As in a container, whose root has no CAP_SYS_PTRACE."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    lesser = [setpriv, "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
    first = parents(through=lesser)
    started = first.started()
    busy(started["dsn"])
    os.kill(started["pid"], signal.SIGKILL)
    first.kill()
    second = parents(through=lesser)
    assert sql(second.started()["dsn"], "SELECT 1") == "1"


def test_stopping_after_the_server_was_killed_leaves_no_orphan(
    parents: Parents, busy: Callable[[str], None]
) -> None:
    parent = parents()
    started = parent.started()
    busy(started["dsn"])
    os.kill(started["pid"], signal.SIGKILL)
    parent.stop()
    assert not postgres_in(parent.cluster)


def test_a_server_that_somebody_left_running_is_stopped_first(
    parents: Parents, sql: Sql, binaries: Binaries
) -> None:
    first = parents()
    sql(first.started()["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    owner = os_users.from_uid(first.cluster.stat().st_uid)
    left = subprocess.Popen(
        [
            str(binaries.program("postgres")),
            *("-D", str(first.cluster)),
            *("-c", "listen_addresses="),
            *("-c", f"unix_socket_directories={first.cluster}"),
        ],
        cwd="/",
        user=owner.child_uid,
        group=owner.child_gid,
        extra_groups=owner.child_groups,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((first.cluster / ".s.PGSQL.5432").exists, "the left server listens")
        second = parents()
        assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"
        assert left.wait() == 0  # a shutdown in order
    finally:
        left.kill()
        left.wait()


def test_a_stale_process_id_that_is_somebody_elses_now_is_not_believed(
    parents: Parents, sql: Sql
) -> None:
    first = parents()
    started = first.started()
    os.kill(started["pid"], signal.SIGKILL)
    first.kill()
    until(lambda: not postgres_in(first.cluster), "the orphans went")
    # Of the same user, or PostgreSQL would see through it by itself; in the same folder even.
    owner = first.cluster.stat().st_uid
    bystander = subprocess.Popen(
        ["/bin/sleep", "300"], cwd=first.cluster, user=owner if IS_ROOT else None
    )
    try:
        record = first.cluster / "postmaster.pid"
        lines = record.read_text().splitlines()
        record.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
        second = parents()
        assert sql(second.started()["dsn"], "SELECT 1") == "1"
        second.stop()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


@ANYBODY
def test_an_interrupted_first_start_is_begun_again(
    parents: Parents, sql: Sql, workspace: Path, who: str
) -> None:
    first = parents(who=who, empty=True)
    drafts = lambda: list((workspace / "data").glob("postgres.new-*/data/PG_VERSION"))  # noqa: E731
    until(drafts, "initdb at work")
    first.kill()
    assert not (workspace / "data" / "postgres").exists(), "killed too late to prove anything"
    second = parents(who=who)
    assert sql(second.started()["dsn"], "SELECT 1") == "1"
    second.stop()
    third = parents(who=who)
    third.started()
    third.stop()
    assert not list((workspace / "data").glob("postgres.new-*"))


def test_lsof_finds_the_same_processes(parents: Parents) -> None:
    program = shutil.which("lsof")
    if program is None:
        pytest.skip("lsof is not installed: it stands in for /proc on macOS")
    parent = parents()
    parent.started()
    assert find_pids_with_lsof(program, parent.cluster) == postgres_in(parent.cluster)


@pytest.mark.slow
@pytest.mark.parametrize("watch", WATCHES)
def test_a_hung_server_is_ended_by_force(parents: Parents, sql: Sql, watch: str) -> None:
    first = parents(parent_watch=watch)
    started = first.started()
    sql(started["dsn"], "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(started["pid"], signal.SIGSTOP)
    first.kill()
    second = parents(stop_timeout_s=0.5)
    assert sql(second.started()["dsn"], "SELECT answer FROM kept") == "42"


@pytest.mark.slow
@pytest.mark.parametrize("watch", WATCHES)
@pytest.mark.parametrize("kill_server", [False, True])
def test_killed_at_any_moment_of_a_start(
    parents: Parents, sql: Sql, workspace: Path, watch: str, kill_server: bool
) -> None:
    """From a cold start on, again and again, a little later each time, each pair at its own."""
    first_s = 0.0125 * (2 * kill_server + (watch == "pipe"))
    for step in range(20):
        parent = parents(parent_watch=watch, empty=True)
        assert parent.next_event() == {"event": "began"}
        time.sleep(first_s + 0.05 * step)  # not to wait: to choose the moment of the kill
        if kill_server:
            for pid in postgres_in(workspace / "data" / "postgres"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        parent.kill()
    until(lambda: not postgres_in(workspace / "data" / "postgres"), "all servers went")
    last = parents(parent_watch=watch)
    assert sql(last.started()["dsn"], "SELECT 1") == "1"
    last.stop()
    assert not list((workspace / "data").glob("postgres.new-*"))


@pytest.mark.slow
def test_what_was_committed_before_the_kill_is_there_after_it(
    parents: Parents, sql: Sql, binaries: Binaries
) -> None:
    acknowledged = 0
    for _ in range(5):
        parent = parents()
        started = parent.started()
        sql(started["dsn"], "CREATE TABLE IF NOT EXISTS grown (n bigint)")
        assert int(sql(started["dsn"], "SELECT count(*) FROM grown")) >= acknowledged
        endpoint = from_url(started["dsn"])
        inserting = "INSERT INTO grown VALUES (1) RETURNING 1;\n" * 5000
        client = subprocess.Popen(
            [str(binaries.program("psql")), "-XqAtw", "-d", endpoint.conninfo(), "-f", "-"],
            env=dict(psql.password_variable(endpoint)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert client.stdout
        assert client.stdin
        with suppress(BrokenPipeError):
            client.stdin.write(inserting)
        client.stdout.readline()
        acknowledged += 1
        os.kill(started["pid"], signal.SIGKILL)
        for pid in postgres_in(parent.cluster):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        parent.kill()
        output, _ = client.communicate()
        acknowledged += output.count("1\n")
    last = parents()
    assert int(sql(last.started()["dsn"], "SELECT count(*) FROM grown")) >= acknowledged


def test_the_other_user_is_really_another() -> None:
    """Guards the parametrisation: as root, `ordinary` must not be root again."""
    assert not IS_ROOT or pwd.getpwnam("nobody").pw_uid != 0
