"""The default data directory on each operating system."""

from pathlib import Path

import pytest

from cartrita.settings.data_directory import default_data_directory, home_directory

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
    assert default_data_directory(environ, HOME, platform) == Path(expected)


def test_home_is_what_the_environment_says() -> None:
    assert home_directory({"HOME": "/h", "USERPROFILE": "/u"}) == Path("/h")
    assert home_directory({"USERPROFILE": "/u"}) == Path("/u")
    assert home_directory({}) == Path.home()
