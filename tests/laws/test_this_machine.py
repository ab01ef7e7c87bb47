"""Nothing in the tree knows the machine on which it was written."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.laws.tree import ROOT, files, name

_PUBLIC = {"pypi.org", "files.pythonhosted.org", "registry.npmjs.org"}


def own_names() -> set[str]:
    """Where this checkout and this home lie, and which indexes installers are told to use."""
    places = {f"{path}/" for path in (ROOT, Path.home())}
    values = [value for key, value in os.environ.items() if re.match(r"PIP_|UV_|NPM_", key)]
    hosts = {urlsplit(word).hostname for value in values for word in value.split() if "//" in word}
    return places | {host for host in hosts if host and host not in _PUBLIC}


def texts() -> dict[str, str]:
    """Every text in the tree."""
    return {name(path): path.read_text(errors="replace") for path in files(ROOT)}


def test_no_file_names_this_machine() -> None:
    names = own_names()
    found = {place: each for place, text in texts().items() for each in names if each in text}
    assert found == {}
