"""Settings of desktops: their menu, and how they are shut in."""

from pathlib import Path

import pytest

from cartrita.settings.desktop import App
from cartrita.settings.errors import SettingsError
from cartrita.settings.loader import load
from cartrita.settings.settings import Settings

TERMINAL = App(name="terminal", command=("xterm", "-fa", "DejaVu Sans Mono"))
EDITOR = App(name="editor", command=("mousepad",))


def settings(where: Path, **environment: str) -> Settings:
    variables = {f"CARTRITA_DESKTOP_{name.upper()}": text for name, text in environment.items()}
    return load({"HOME": str(where), **variables}, where)


def test_there_are_no_desktops_unless_they_are_wanted(tmp_path: Path) -> None:
    found = settings(tmp_path).desktop
    assert not found.enabled
    assert found.apps is None


def test_a_menu_is_read_from_one_variable(tmp_path: Path) -> None:
    told = "terminal=xterm -fa 'DejaVu Sans Mono'; editor=mousepad"
    assert settings(tmp_path, apps=told).desktop.apps == (TERMINAL, EDITOR)


def test_a_menu_is_a_table_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "cartrita.toml").write_text(
        '[desktop.apps]\nterminal = ["xterm", "-fa", "DejaVu Sans Mono"]\neditor = "mousepad"\n'
    )
    assert settings(tmp_path).desktop.apps == (TERMINAL, EDITOR)


@pytest.mark.parametrize("told", ["terminal", "terminal=", "=xterm", "terminal='xterm"])
def test_a_program_without_a_command_or_a_name_is_refused(tmp_path: Path, told: str) -> None:
    with pytest.raises(SettingsError, match="CARTRITA_DESKTOP_APPS") as refused:
        settings(tmp_path, apps=told)
    assert "has no command" in str(refused.value)


def test_a_worker_gets_the_menu_that_its_parent_read(tmp_path: Path) -> None:
    found = settings(tmp_path, apps="terminal=xterm", enabled="1")
    assert Settings.from_json(found.reveal_json()).desktop == found.desktop


def test_containers_need_a_command(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CARTRITA_DESKTOP_CONTAINER_COMMAND"):
        settings(tmp_path, isolation="container")
    command = "podman,run,--volume={folder}:{folder}"
    given = settings(tmp_path, isolation="container", container_command=command).desktop
    assert given.container_command == ("podman", "run", "--volume={folder}:{folder}")


@pytest.mark.parametrize("volume", ["", ",--volume={desktops}:{desktops}"])
def test_a_container_is_shown_the_folder_of_its_desktop(tmp_path: Path, volume: str) -> None:
    with pytest.raises(SettingsError, match="shares no folder") as refused:
        settings(tmp_path, isolation="container", container_command=f"podman,run{volume}")
    assert "CARTRITA_DESKTOP_CONTAINER_COMMAND" in str(refused.value)
