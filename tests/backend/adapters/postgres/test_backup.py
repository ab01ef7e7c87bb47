"""Backup and restore: on the same version, across versions, beside a running server."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backend.adapters.postgres.conftest import Parent

from cartrita.adapters.postgres import (
    Binaries,
    DatabaseEndpoint,
    PostgresUnavailable,
    Supervisor,
    attach,
    backup,
    errors,
    find,
    from_url,
    major_of,
    os_users,
    psql,
    restore,
)
from cartrita.adapters.postgres.binary_copies import ensure_runnable

Serve = Callable[..., Supervisor]

CONTENT = """
CREATE TABLE messages (id bigint PRIMARY KEY, parts jsonb, raw bytea);
INSERT INTO messages
SELECT n, jsonb_build_object('text', 'Grüße ' || n), decode('00ff', 'hex')
  FROM generate_series(1, 1000) n;
CREATE TABLE days (day date, n int) PARTITION BY RANGE (day);
CREATE TABLE days_rest PARTITION OF days DEFAULT;
INSERT INTO days VALUES ('2026-01-01', 7);
"""
FINGERPRINT = """
SELECT md5(string_agg(m::text, '' ORDER BY id)), (SELECT sum(n) FROM days) FROM messages m
"""


def written(serve: Serve, binaries: Binaries) -> tuple[DatabaseEndpoint, str]:
    endpoint = serve("source").start()
    psql.run(binaries, endpoint, CONTENT)
    return endpoint, psql.run(binaries, endpoint, FINGERPRINT)


def test_there_and_back(serve: Serve, binaries: Binaries, workspace: Path) -> None:
    source, fingerprint = written(serve, binaries)
    file = workspace / "cartrita.backup"
    backup(source, binaries, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path for path in workspace.iterdir() if path.is_file()] == [file]

    target = from_url(serve("target").start().dsn())
    restore(target, binaries, file)
    assert psql.run(binaries, target, FINGERPRINT) == fingerprint

    with pytest.raises(errors.DatabaseNotEmpty, match="not empty"):
        restore(target, binaries, file)
    assert psql.run(binaries, target, FINGERPRINT) == fingerprint


def test_an_existing_file_is_overwritten_only_when_told(
    serve: Serve, binaries: Binaries, workspace: Path
) -> None:
    endpoint = serve().start()
    file = workspace / "cartrita.backup"
    file.write_text("precious")
    with pytest.raises(errors.BackupExists, match="exists already"):
        backup(endpoint, binaries, file)
    assert file.read_text() == "precious"
    backup(endpoint, binaries, file, overwrite=True)
    assert file.read_bytes().startswith(b"PGDMP")


def test_a_failed_backup_leaves_no_file(serve: Serve, binaries: Binaries, workspace: Path) -> None:
    supervisor = serve()
    endpoint = supervisor.start()
    supervisor.stop()
    with pytest.raises(errors.BackupFailed, match="connection") as refusal:
        backup(endpoint, binaries, workspace / "cartrita.backup")
    assert endpoint.password.reveal() not in str(refusal.value)
    with pytest.raises(errors.DataDirectoryUnwritable):
        backup(endpoint, binaries, workspace / "no" / "such" / "folder")
    assert not [path for path in workspace.iterdir() if path.is_file()]


def test_what_is_no_backup_is_refused_and_a_damaged_one_restores_nothing(
    serve: Serve, binaries: Binaries, workspace: Path
) -> None:
    source, _ = written(serve, binaries)
    file = workspace / "cartrita.backup"
    backup(source, binaries, file)
    target = serve("target").start()

    strange = workspace / "strange"
    strange.write_text("DROP TABLE messages; -- no dump at all\n" * 100)
    for nothing in (strange, workspace / "absent", workspace):
        with pytest.raises(errors.NotABackup):
            restore(target, binaries, nothing)

    damaged = workspace / "damaged"
    damaged.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(errors.RestoreFailed, match="Nothing was restored"):
        restore(target, binaries, damaged)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert psql.run(binaries, target, tables) == "0"
    restore(target, binaries, file)


def test_a_database_that_does_not_answer_is_not_restored_into(
    serve: Serve, binaries: Binaries, workspace: Path
) -> None:
    supervisor = serve()
    endpoint = supervisor.start()
    file = workspace / "cartrita.backup"
    backup(endpoint, binaries, file)
    supervisor.stop()
    with pytest.raises(errors.RestoreFailed, match="cannot be reached"):
        restore(endpoint, binaries, file)


def test_attaching_to_a_server_that_another_process_runs(
    parents: Callable[..., Parent], binaries: Binaries, workspace: Path
) -> None:
    assert attach(workspace / "data") is None
    assert major_of(workspace / "data") is None
    parent = parents()
    dsn = parent.started()["dsn"]
    endpoint = attach(workspace / "data")
    assert endpoint is not None
    assert endpoint.dsn() == dsn
    assert major_of(workspace / "data") == binaries.major
    backup(endpoint, binaries, workspace / "cartrita.backup")
    parent.stop()
    assert attach(workspace / "data") is None


def test_the_way_across_a_major_version(
    serve: Serve, binaries: Binaries, workspace: Path, commons: Path
) -> None:
    older = _older_than(binaries.major)
    old = serve("old", empty=True, chosen=older)
    psql.run(binaries, old.start(), CONTENT)
    old.stop()
    with pytest.raises(errors.MajorVersionMismatch, match="cartrita backup"):
        Supervisor(workspace / "old", chosen=binaries, fallbacks=[commons / "fallback"]).start()

    # As `cartrita backup` does it: the version that wrote the directory serves it once more.
    found = find(major=major_of(workspace / "old"))
    again = Supervisor(workspace / "old", chosen=found, fallbacks=[commons / "fallback"])
    try:
        endpoint = again.start()
        fingerprint = psql.run(binaries, endpoint, FINGERPRINT)
        backup(endpoint, found, workspace / "cartrita.backup")
    finally:
        again.stop()
    target = serve("new").start()
    restore(target, binaries, workspace / "cartrita.backup")
    assert psql.run(binaries, target, FINGERPRINT) == fingerprint


def test_a_server_newer_than_the_binaries_is_said(
    serve: Serve, binaries: Binaries, workspace: Path, commons: Path
) -> None:
    older = ensure_runnable(
        _older_than(binaries.major), os_users.choose("nobody"), [commons / "fallback"]
    )
    with pytest.raises(errors.BackupFailed, match="server version mismatch"):
        backup(serve().start(), older, workspace / "cartrita.backup")


def _older_than(major: int) -> Binaries:
    for candidate in range(major - 1, 14, -1):
        try:
            return find(major=candidate)
        except PostgresUnavailable:
            continue
    pytest.skip("only one major version of PostgreSQL is on this machine")
