"""What is missing for desktops is named with the line that installs it."""

import os
import shutil
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from cartrita.adapters.desktop import programs
from cartrita.adapters.desktop.host.enclosures import enclosure
from cartrita.adapters.desktop.host.probe import order_of
from cartrita.adapters.desktop.programs import missing_lines, missing_menu, missing_walls
from cartrita.domain.desktop import DesktopIsolation

APPS = {"Terminal": ("xterm", "-ls"), "Editor": ("mousepad",)}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Programs and modules that there are."""
    there = {"Xvfb", "openbox", "x11vnc", "bwrap", "setpriv", "setsid", "prlimit", "choom"}
    there |= {"Xlib", "mss", "PIL"}

    def found(name: str) -> str | None:
        return name if name in there else None

    monkeypatch.setattr(shutil, "which", found)
    monkeypatch.setattr(programs, "find_spec", found)
    return there


def test_where_all_is_there_nothing_is_missing(installed: set[str]) -> None:
    for isolation in (DesktopIsolation.BUBBLEWRAP, DesktopIsolation.PLAIN):
        assert missing_lines(isolation) == ()


def test_one_line_installs_the_packages_of_the_system(installed: set[str]) -> None:
    installed -= {"Xvfb", "bwrap", "prlimit"}
    assert missing_lines(DesktopIsolation.BUBBLEWRAP) == (
        "apt-get install -y bubblewrap util-linux xvfb",
    )
    assert missing_lines(DesktopIsolation.PLAIN) == ("apt-get install -y util-linux xvfb",)


def test_the_extra_is_another(installed: set[str]) -> None:
    installed -= {"mss", "openbox"}
    lines = missing_lines(DesktopIsolation.BUBBLEWRAP)
    assert lines[0] == "apt-get install -y openbox"
    assert "backend[desktop]" in lines[1]


def test_a_container_has_what_its_image_has(installed: set[str]) -> None:
    installed.clear()
    installed.add("runner")
    assert missing_lines(DesktopIsolation.CONTAINER, ("runner", "run", "image")) == ()


def test_without_what_runs_a_container_there_is_none(installed: set[str]) -> None:
    [unset] = missing_lines(DesktopIsolation.CONTAINER)
    assert unset.startswith("Set CARTRITA_DESKTOP_CONTAINER_COMMAND")
    [unknown] = missing_lines(DesktopIsolation.CONTAINER, ("no-runner", "run"))
    assert unknown.startswith("There is no program no-runner, ")


def test_a_machine_without_a_filter_of_system_calls_is_told_and_used_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def walls() -> Sequence[str]:
        words, files = enclosure(order_of("/desktops")).programs(["true"], ":0")
        for file in files:
            file.close()
        return words

    walled = DesktopIsolation.BUBBLEWRAP
    assert missing_walls(walled) == ()
    assert "--seccomp" in walls()
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="riscv64", release="6.12"))
    [told] = missing_walls(walled)
    assert told.startswith("No filter of system calls can be made here (riscv64, Linux 6.12): ")
    assert "--seccomp" not in walls()
    assert missing_walls(DesktopIsolation.PLAIN) == missing_walls(None) == ()


def test_apps_that_are_not_installed_are_named(installed: set[str]) -> None:
    installed.add("xterm")
    [told] = missing_menu(APPS)
    assert told.startswith("The app Editor is not installed: there is no program mousepad.")
    installed.add("mousepad")
    assert missing_menu(APPS) == ()


def test_a_menu_without_apps_is_missing_them() -> None:
    [told] = missing_menu({})
    assert told.startswith("apt-get install -y mousepad xterm")
