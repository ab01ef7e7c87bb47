"""A file of lines that several processes share: nothing is torn, mixed or written twice."""

import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cartrita.kit.rotating_file import RotatingFile

WATCHDOG_S = 120.0
WRITER = """
import sys
from pathlib import Path
from cartrita.kit.rotating_file import RotatingFile
file = RotatingFile(Path(sys.argv[1]), most_bytes=4096, count=100)
for number in range(400):
    file.append('{"writer": "%s", "number": %d, "fill": "%s"}' % (sys.argv[2], number, "x" * 50))
"""


def all_lines(path: Path) -> list[str]:
    """The lines of all files, the oldest first."""
    numbers = [int(each.suffix[1:]) for each in path.parent.glob(f"{path.name}.*")]
    paths = [path.with_name(f"{path.name}.{number}") for number in sorted(numbers, reverse=True)]
    return [line for each in (*paths, path) for line in each.read_text().splitlines()]


def test_a_line_that_has_no_room_begins_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=10, count=2)
    for word in ("one", "two", "three", "four", "five", "six"):
        file.append(word)
    told = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert told == {"a.log": "six\n", "a.log.1": "four\nfive\n", "a.log.2": "three\n"}


def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=10, count=1)
    file.append("0123456789")
    file.append("0123456789")
    modes = [stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()]
    assert modes == [0o600, 0o600]


def test_a_line_longer_than_a_file_is_written_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    RotatingFile(path, most_bytes=10, count=1).append("x" * 100)
    assert path.read_text() == "x" * 100 + "\n"


def test_processes_share_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in "abcd"]
    assert [writer.wait(WATCHDOG_S) for writer in writers] == [0] * 4
    told = [json.loads(line) for line in all_lines(path)]
    for name in "abcd":
        numbers = [each["number"] for each in told if each["writer"] == name]
        assert sorted(numbers) == list(range(400)), f"the lines of {name}, each once"
    sizes = [each.stat().st_size for each in tmp_path.iterdir()]
    assert len(sizes) > 10
    assert max(sizes) <= 4096 + 4 * 100, "as many lines too long as there are others"


def test_two_that_find_it_full_at_once_rename_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.log"
    first, second = (RotatingFile(path, most_bytes=10, count=5) for _ in range(2))
    first.append("12345678")
    raced: list[int] = []
    lock = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not raced:
            raced.append(descriptor)
            second.append("second")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    first.append("first")
    told = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert told == {"a.log": "second\nfirst\n", "a.log.1": "12345678\n"}


def test_a_full_disk_loses_lines_and_tears_none_that_follows(tmp_path: Path) -> None:
    room = 1000

    def write(descriptor: int, octets: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = os.write(descriptor, octets[:room])
        room -= written
        return written

    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=1 << 20, count=1, write=write)
    for _ in range(30):
        file.append("x" * 99)
    assert room == 0
    room = 10_000
    file.append("after it")
    assert path.read_text().splitlines()[-1] == "after it"


def test_a_torn_line_ends_before_the_next(tmp_path: Path) -> None:
    room = [4, 100]

    def write(descriptor: int, octets: bytes) -> int:
        return os.write(descriptor, octets[: room.pop(0)])

    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=1 << 20, count=1, write=write)
    file.append("0123456789")
    file.append("whole")
    assert path.read_text() == "0123\nwhole\n"


def test_it_grows_on_where_nothing_can_be_renamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=10, count=1)
    monkeypatch.setattr(Path, "replace", refuse)
    for number in range(5):
        file.append(f"line {number}")
    assert path.read_text().splitlines() == [f"line {number}" for number in range(5)]


def test_what_another_program_has_renamed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    file = RotatingFile(path, most_bytes=1 << 20, count=1)
    file.append("one")
    path.rename(tmp_path / "moved")
    file.append("two")
    assert (tmp_path / "moved").read_text() == "one\n"
    assert path.read_text() == "two\n"


def test_it_comes_back_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    file = RotatingFile(folder / "a.log", most_bytes=1 << 20, count=1)
    file.append("lost")
    folder.mkdir()
    file.append("kept")
    file.close()
    file.append("and this")
    assert (folder / "a.log").read_text() == "kept\nand this\n"


@pytest.mark.parametrize("kind", ["no folder", "a folder", "a pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.log"
    if kind == "no folder":
        path = tmp_path / "nowhere" / "a.log"
    elif kind == "a folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with pytest.raises(OSError, match=r".+"):
        RotatingFile(path, most_bytes=10, count=1).require_writable()


def test_what_is_no_text_is_written_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    RotatingFile(path, most_bytes=100, count=1).append("half \ud800")
    assert path.read_text() == "half \\ud800\n"
