"""Where data is kept on each system."""

from pathlib import Path

import pytest

from cartrita.settings.homes import data_dir, home

HOME = Path("/home/ada")


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({}, "linux", "/home/ada/.local/share/cartrita"),
        ({"XDG_DATA_HOME": "/data"}, "linux", "/data/cartrita"),
        ({"XDG_DATA_HOME": "data"}, "linux", "/home/ada/.local/share/cartrita"),
        ({}, "darwin", "/home/ada/Library/Application Support/cartrita"),
        ({"XDG_DATA_HOME": "/data"}, "darwin", "/data/cartrita"),
        ({}, "win32", "/home/ada/AppData/Local/cartrita"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/cartrita"),
    ],
)
def test_the_systems_habit_is_followed(
    environ: dict[str, str], platform: str, expected: str
) -> None:
    assert data_dir(environ, HOME, platform) == Path(expected)


def test_home_is_what_the_environment_says() -> None:
    assert home({"HOME": "/h", "USERPROFILE": "/u"}) == Path("/h")
    assert home({"USERPROFILE": "/u"}) == Path("/u")
    assert home({}) == Path.home()
