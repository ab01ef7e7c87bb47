"""A program of the system gets a file in memory, and nothing else: no other file, no program."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import psutil
import pytest

from cartrita.adapters.processes import landlock
from cartrita.adapters.processes.bounds import ProcessBounds
from cartrita.adapters.processes.launcher import NOT_STARTED
from cartrita.adapters.processes.memory_files import memory_file
from cartrita.adapters.processes.programs import found, running

BOUNDS = ProcessBounds(seconds=10, memory_bytes=1 << 30)
walled = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


def program(name: str) -> Path:
    path = found(name)
    assert path is not None
    return path


async def output(name: str, *arguments: str, given: bytes = b"") -> tuple[int, bytes]:
    with memory_file(given) as stdin:
        async with running(program(name), arguments, bounds=BOUNDS, stdin=stdin) as process:
            assert process.stdout is not None
            told = await process.stdout.read()
            return await process.wait(), told


async def test_it_reads_what_it_is_given() -> None:
    assert await output("cat", given=b"a recording") == (0, b"a recording")


async def test_it_can_seek_in_it_by_its_path() -> None:
    assert await output("tail", "-c", "4", "/dev/stdin", given=b"a recording") == (0, b"ding")


@walled
async def test_it_reads_no_other_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    status, told = await output("cat", str(secret))
    assert (status != 0, told) == (True, b"")


async def test_it_reads_what_is_readable(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.write_text("a model")
    with memory_file() as stdin:
        async with running(
            program("cat"), [str(model)], bounds=BOUNDS, stdin=stdin, readable=[tmp_path]
        ) as process:
            assert process.stdout is not None
            assert await process.stdout.read() == b"a model"


@walled
async def test_it_starts_no_other_program() -> None:
    status, told = await output("env", str(program("cat")), given=b"a recording")
    assert (status != 0, told) == (True, b"")


async def test_it_has_no_environment_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    assert await output("env") == (0, b"LC_ALL=C.UTF-8\n")


async def test_what_it_writes_to_a_file_in_memory_is_read() -> None:
    bounds = ProcessBounds(seconds=10, memory_bytes=1 << 30, file_bytes=1 << 20)
    with memory_file(b"speech") as stdin, memory_file() as stdout:
        async with running(
            program("cat"), [], bounds=bounds, stdin=stdin, stdout=stdout
        ) as process:
            assert await process.wait() == 0
        stdout.seek(0)
        assert stdout.read() == b"speech"


async def test_a_file_that_gets_too_long_ends_it() -> None:
    with memory_file(bytes(4096)) as stdin, memory_file() as stdout:
        async with running(
            program("cat"), [], bounds=BOUNDS, stdin=stdin, stdout=stdout
        ) as process:
            assert await process.wait() != 0


async def test_it_is_killed_when_the_body_is_left() -> None:
    async with running(program("cat"), [], bounds=BOUNDS, stdin=PIPE) as process:
        assert psutil.pid_exists(process.pid)
    assert process.returncode is not None


async def test_it_is_killed_when_whoever_waits_is_cancelled() -> None:
    begun: list[Process] = []

    async def wait() -> None:
        async with running(program("cat"), [], bounds=BOUNDS, stdin=PIPE) as process:
            begun.append(process)
            async with asyncio.timeout(0.05):
                await process.wait()

    with pytest.raises(TimeoutError):
        await wait()
    assert begun[0].returncode is not None
    assert not psutil.pid_exists(begun[0].pid)


async def test_a_program_that_cannot_be_executed_says_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("no program")
    with memory_file() as stdin:
        async with running(broken, [], bounds=BOUNDS, stdin=stdin) as process:
            assert await process.wait() == NOT_STARTED


def test_a_file_in_memory_begins_at_its_beginning_and_is_nowhere(tmp_path: Path) -> None:
    with memory_file(b"content") as file:
        assert file.read() == b"content"
        assert not os.path.exists(os.readlink(f"/proc/self/fd/{file.fileno()}"))
