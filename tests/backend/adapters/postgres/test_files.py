"""Log rotation: a new file at each start, three older ones kept."""

from pathlib import Path

from cartrita.adapters.postgres import files


def test_open_log_keeps_three_older_files(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    for number in range(6):
        with files.open_log(path) as log:
            log.write(f"start {number}\n".encode())
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {
        "postgres.log": "start 5\n",
        "postgres.log.1": "start 4\n",
        "postgres.log.2": "start 3\n",
        "postgres.log.3": "start 2\n",
    }


def test_open_log_does_not_keep_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    for _ in range(2):
        files.open_log(path).close()
    assert [file.name for file in tmp_path.iterdir()] == ["postgres.log"]


def test_read_tail_of_a_long_log_is_short(tmp_path: Path) -> None:
    path = tmp_path / "postgres.log"
    path.write_bytes(b"x" * 1_000_000 + b"\xff the end")
    tail = files.read_tail(path)
    assert tail.endswith("the end")
    assert len(tail) < 100_000
