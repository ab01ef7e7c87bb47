"""Errors made of PostgreSQL's output, as recorded from PostgreSQL 18 and 16."""

from pathlib import Path

import pytest

from cartrita.adapters.postgres import errors

STAMP = "2026-11-21 05:54:12.349 UTC [16115] "
SHORT = 'FATAL:  could not extend file "base/1/2675": wrote only 4096 of 8192 bytes at block 10\n'


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        (f'{STAMP}PANIC:  could not write to file "pg_wal/x": No space left on device', "DiskFull"),
        (f"{STAMP}{SHORT}{STAMP}PANIC:  cannot abort transaction 1, it was committed", "DiskFull"),
        (f"{STAMP}FATAL:  could not write lock file: Disk quota exceeded", "DiskFull"),
        ("initdb: error: could not create directory: Permission denied", "DataDirectoryUnwritable"),
        (f"{STAMP}FATAL:  could not open file: Read-only file system", "DataDirectoryUnwritable"),
        (f'{STAMP}FATAL:  lock file "postmaster.pid" is empty', "StartFailed"),
    ],
)
def test_from_output_class(output: str, kind: str, tmp_path: Path) -> None:
    error = errors.from_output("PostgreSQL did not start", output, tmp_path, tmp_path)
    assert type(error).__name__ == kind


def test_from_output_carries_the_cause(tmp_path: Path) -> None:
    output = (
        f"{STAMP}LOG:  starting PostgreSQL 18.4\n{STAMP}FATAL:  bogus value\n"
        f"{STAMP}FATAL:  the database system is starting up\n{STAMP}LOG:  shut down\n"
    )
    error = errors.from_output("PostgreSQL did not start", output, tmp_path, tmp_path)
    assert isinstance(error, errors.StartFailed)
    assert str(error) == "PostgreSQL did not start: bogus value"


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("", "it said nothing"),
        (
            f"{STAMP}LOG:  redo in progress, elapsed time: 10.00 s\n",
            "LOG:  redo in progress, elapsed time: 10.00 s",
        ),
        (f"{STAMP}FATAL:  the database system is starting up\n", "it said nothing"),
    ],
)
def test_last_error_line(output: str, line: str) -> None:
    assert errors.last_error_line(output) == line
