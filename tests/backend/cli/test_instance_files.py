"""The secret and the identity: written once, whole or not at all, never accepted damaged."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import InstanceFiles, open_instance_files
from cartrita.settings import Settings

AT_ONCE = 8


def test_what_was_made_is_found_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    first = open_instance_files(settings)
    assert len(first.secret.reveal()) >= 32
    assert open_instance_files(settings) == first
    files = sorted((tmp_path / "data").iterdir())
    assert [path.name for path in files] == ["instance", "secret"]  # and no draft
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_of_many_first_starts_one_is_the_first(tmp_path: Path) -> None:
    barrier = Barrier(AT_ONCE)

    def start(folder: Path) -> InstanceFiles:
        barrier.wait(timeout=60)
        return open_instance_files(Settings(data_dir=folder))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(20):
            folder = tmp_path / str(number)
            opened = list(threads.map(start, [folder] * AT_ONCE))
            assert len({files.instance for files in opened}) == 1
            assert len({files.secret.reveal() for files in opened}) == 1


@pytest.mark.parametrize("name", ["secret", "instance"])
@pytest.mark.parametrize("content", [b"", b"\n", b"short", b"\xff\xfe"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    settings = Settings(data_dir=tmp_path)
    open_instance_files(settings)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CommandError, match=str(tmp_path / name)):
        open_instance_files(settings)
    assert (tmp_path / name).read_bytes() == content
