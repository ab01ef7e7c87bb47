"""What a worker wrote last is read as a whole, or what it wrote before."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from cartrita.adapters.metrics.shared_files import SharedFiles
from cartrita.adapters.processes.memory_files import memory_file

HALF = 1 << 26


@pytest.fixture
def descriptors() -> Iterator[list[int]]:
    with ExitStack() as stack:
        yield [stack.enter_context(memory_file()).fileno() for _ in range(2)]


def test_nothing_was_written(descriptors: list[int]) -> None:
    assert [SharedFiles(descriptors).read(place) for place in (0, 1)] == [None, None]


def test_the_last_is_read(descriptors: list[int]) -> None:
    writer, reader = SharedFiles(descriptors), SharedFiles(descriptors)
    for octets in (b"one", b"two and more", b"3"):
        writer.write(0, octets)
        assert reader.read(0) == octets
    assert reader.read(1) is None


def test_an_empty_one_is_one(descriptors: list[int]) -> None:
    files = SharedFiles(descriptors)
    files.write(0, b"")
    assert files.read(0) == b""


def test_the_next_worker_goes_on(descriptors: list[int]) -> None:
    before = SharedFiles(descriptors)
    for octets in (b"one", b"two", b"three"):
        before.write(0, octets)
    after = SharedFiles(descriptors)
    after.write(0, b"four")
    assert SharedFiles(descriptors).read(0) == b"four"


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_what_is_cut_off_leaves_the_one_before(descriptors: list[int], writes: int) -> None:
    """A worker that is killed while it writes may have written a part."""
    files = SharedFiles(descriptors)
    for number in range(writes):
        files.write(0, b"whole %d" % number)
    latest = writes % 2 * HALF
    os.pwrite(descriptors[0], b"torn", latest + 20)
    told = SharedFiles(descriptors).read(0)
    assert told == (None if writes == 1 else b"whole %d" % (writes - 2))


def test_one_that_is_too_long_is_refused(
    descriptors: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cartrita.adapters.metrics.shared_files._HALF", 100)
    files = SharedFiles(descriptors)
    files.write(0, b"short")
    with pytest.raises(OSError, match="too long"):
        files.write(0, b"x" * 100)
    assert files.read(0) == b"short"
