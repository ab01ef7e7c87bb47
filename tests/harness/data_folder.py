"""A data folder with an empty, migrated database: made once, and copied for each server."""

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.harness import scratch
from tests.harness.command import PROGRAM, inherited


def copy_to(folder: Path) -> None:
    """Write what `cartrita migrate` leaves, with its owners, so that no first start does it."""
    subprocess.run(["cp", "-a", str(_migrated()), str(folder)], check=True)


@cache
def _migrated() -> Path:
    root = scratch.folder("cartrita-data-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    folder = root / "data"
    subprocess.run(
        [PROGRAM, "migrate"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=root,
        env={**inherited(), "HOME": str(root), "CARTRITA_DATA_DIR": str(folder)},
    )
    return folder
