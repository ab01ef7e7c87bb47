"""A data folder with an empty, migrated database: made once, and copied for each server."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START", "COVERAGE_FILE")


def copy_to(folder: Path) -> None:
    """What `cartrita migrate` leaves, with its owners: a fifth of what a first start costs."""
    subprocess.run(["cp", "-a", str(_migrated()), str(folder)], check=True)


@cache
def _migrated() -> Path:
    root = Path(tempfile.mkdtemp(prefix="cartrita-data-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    root.chmod(0o711)  # Postgres runs as another user where the tests run as root
    folder = root / "data"
    command = [str(Path(sys.executable).with_name("cartrita")), "migrate"]
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    subprocess.run(
        command,
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=root,
        env={**environment, "HOME": str(root), "CARTRITA_DATA_DIR": str(folder)},
    )
    return folder
