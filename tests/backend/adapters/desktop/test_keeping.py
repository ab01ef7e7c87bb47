"""What a desktop has left is removed by who started it, however its processes end."""

import os
from pathlib import Path

import pytest

from cartrita.adapters.desktop import folders
from cartrita.adapters.desktop.keeping import Keeping

WATCHDOG_S = 60.0


async def test_a_host_that_lives_longer_than_its_keeper_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was killed, and is not dead yet: then it still has the lock."""
    folder = tmp_path / "desktops" / "a"
    host = [folders.claim(folder)]
    looks: list[bool] = []
    remove = folders.remove_if_dead

    def look(folder: Path) -> bool:
        looks.append(remove(folder))
        if host:
            os.close(host.pop())
        return looks[-1]

    monkeypatch.setattr(folders, "remove_if_dead", look)
    keeping = Keeping(folder)
    await keeping.run(("true",), {"PATH": os.environ["PATH"]}, WATCHDOG_S)
    assert looks == [False, True]
    assert not folder.exists()
    assert await keeping.started() == "It ended while it was being started."


FAILS = "echo 'starting' >&2; echo 'no such image' >&2; exit 125"


@pytest.mark.parametrize(
    ("reports", "told"),
    [
        (True, "It ended while it was being started. It said: no such image"),
        (False, "It ended while it was being started."),
    ],
)
async def test_one_that_reports_tells_why_it_does_not_start(
    tmp_path: Path, *, reports: bool, told: str
) -> None:
    keeping = Keeping(tmp_path / "a", reports=reports)
    await keeping.run(("sh", "-c", FAILS), {"PATH": os.environ["PATH"]}, WATCHDOG_S)
    assert await keeping.started() == told


async def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    keeping = Keeping(tmp_path / "a")
    await keeping.run(("no-such-program",), {"PATH": os.environ["PATH"]}, WATCHDOG_S)
    assert await keeping.started() == (
        "no-such-program cannot be started: No such file or directory."
    )
