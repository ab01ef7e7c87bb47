"""The log: a fresh file for each start, a few older ones beside it."""

from pathlib import Path

from cartrita.adapters.postgres import log_files


def test_each_start_has_its_own_and_three_older_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    for number in range(6):
        with log_files.open_fresh(path) as log:
            log.write(f"start {number}\n".encode())
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {
        "postgres.log": "start 5\n",
        "postgres.log.1": "start 4\n",
        "postgres.log.2": "start 3\n",
        "postgres.log.3": "start 2\n",
    }


def test_an_empty_one_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    for _ in range(2):
        log_files.open_fresh(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["postgres.log"]


def test_the_tail_of_a_long_one_is_short(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    path.write_bytes(b"x" * 1_000_000 + b"\xff the end")
    tail = log_files.tail(path)
    assert tail.endswith("the end")
    assert len(tail) < 100_000
