"""Folders for databases: nobody takes another's, and nothing stays of a process that was killed."""

import subprocess
import sys
from pathlib import Path

from tests.harness import scratch

_CLAIM = """
import sys
from pathlib import Path
from tests.harness import scratch
print(scratch.claim(Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


def _claimed(home: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", _CLAIM, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed, left = _claimed(tmp_path)
    (left / "database").mkdir()
    with killed:
        running, used = _claimed(tmp_path)
        with running:
            killed.kill()
            killed.wait()
            third, mine = _claimed(tmp_path)
            with third:
                assert not left.exists()
                assert used.is_dir()
                assert mine.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_removed_while_they_are_looked_at_is_nothing_to_do(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.symlink_to(tmp_path / "nothing")  # it is listed, and cannot be opened
    process, mine = _claimed(tmp_path)
    with process:
        assert mine.parent == tmp_path
    assert list(tmp_path.iterdir()) == [gone]


def test_each_folder_is_new_and_any_user_can_pass_through_it() -> None:
    folders = [scratch.folder("cartrita-test-") for _ in range(2)]
    try:
        assert folders[0] != folders[1]
        for each in folders:
            assert each.stat().st_mode & 0o777 == 0o711
            assert each.parent.stat().st_mode & 0o001
    finally:
        for each in folders:
            each.rmdir()
