"""Where a person's programs keep their data, by the habits of each system."""

import sys
from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str]) -> Path:
    """The home directory that the environment names, else the system's answer."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()


def data_dir(environ: Mapping[str, str], home: Path, platform: str = sys.platform) -> Path:
    """`$XDG_DATA_HOME/cartrita` or what the system has in its place."""
    shared = environ.get("XDG_DATA_HOME", "")
    if Path(shared).is_absolute():  # a relative one is to be ignored, says its specification
        return Path(shared) / "cartrita"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "cartrita"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "cartrita"
    return home / ".local" / "share" / "cartrita"
