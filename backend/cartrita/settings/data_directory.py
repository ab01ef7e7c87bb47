"""The default data directory, by the convention of each operating system."""

import sys
from collections.abc import Mapping
from pathlib import Path


def home_directory(environ: Mapping[str, str]) -> Path:
    """The home directory that the environment names, else the one of the current user."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()


def default_data_directory(
    environ: Mapping[str, str], home: Path, platform: str = sys.platform
) -> Path:
    """`$XDG_DATA_HOME/cartrita`, or the operating system's equivalent."""
    xdg_data_home = environ.get("XDG_DATA_HOME", "")
    if Path(xdg_data_home).is_absolute():  # the XDG specification says to ignore a relative one
        return Path(xdg_data_home) / "cartrita"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "cartrita"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cartrita"
    return home / ".local" / "share" / "cartrita"
