"""PostgreSQL's words, as recorded from PostgreSQL 18 and 16, and the refusals made of them."""

from pathlib import Path

import pytest

from cartrita.adapters.postgres import diagnosis, errors

STAMP = "2026-11-21 05:54:12.349 UTC [16115] "
SHORT = 'FATAL:  could not extend file "base/1/2675": wrote only 4096 of 8192 bytes at block 10\n'


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f'{STAMP}PANIC:  could not write to file "pg_wal/x": No space left on device', "DiskFull"),
        (f"{STAMP}{SHORT}{STAMP}PANIC:  cannot abort transaction 1, it was committed", "DiskFull"),
        (f"{STAMP}FATAL:  could not write lock file: Disk quota exceeded", "DiskFull"),
        ("initdb: error: could not create directory: Permission denied", "DataDirectoryUnwritable"),
        (f"{STAMP}FATAL:  could not open file: Read-only file system", "DataDirectoryUnwritable"),
        (f'{STAMP}FATAL:  lock file "postmaster.pid" is empty', "StartFailed"),
    ],
)
def test_the_kind(said: str, kind: str, tmp_path: Path) -> None:
    refusal = diagnosis.refusal("PostgreSQL did not start", said, tmp_path, tmp_path)
    assert type(refusal).__name__ == kind


def test_the_sentence_carries_the_cause(tmp_path: Path) -> None:
    said = (
        f"{STAMP}LOG:  starting PostgreSQL 18.4\n{STAMP}FATAL:  bogus value\n"
        f"{STAMP}FATAL:  the database system is starting up\n{STAMP}LOG:  shut down\n"
    )
    refusal = diagnosis.refusal("PostgreSQL did not start", said, tmp_path, tmp_path)
    assert isinstance(refusal, errors.StartFailed)
    assert str(refusal) == "PostgreSQL did not start: bogus value"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", "it said nothing"),
        (
            f"{STAMP}LOG:  redo in progress, elapsed time: 10.00 s\n",
            "LOG:  redo in progress, elapsed time: 10.00 s",
        ),
        (f"{STAMP}FATAL:  the database system is starting up\n", "it said nothing"),
    ],
)
def test_the_last_words(said: str, words: str) -> None:
    assert diagnosis.last_words(said) == words
