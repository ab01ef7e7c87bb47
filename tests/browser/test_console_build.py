"""The console's built files are what its source builds to, byte for byte."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.laws.tree import ROOT
from tests.sdks.npm_packages import commands, installed

from cartrita.surfaces.console.built_files import built_files

pytestmark = pytest.mark.slow

SOURCE = ROOT / "frontend-contract" / "console"


def test_its_source_builds_to_what_is_committed(tmp_path: Path) -> None:
    installed(SOURCE)
    node, npm = commands()
    beside_node = Path(shutil.which(node) or node).parent  # scripts of packages look for it there
    into = {
        "CONSOLE_OUT": str(tmp_path),
        "PATH": os.pathsep.join((str(beside_node), os.environ["PATH"])),
    }
    built = subprocess.run(
        [*npm, "run", "build"], cwd=SOURCE, env=os.environ | into, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr
    # Compressed files depend on the compressor; what they unpack to is tested with every change.
    fresh = {
        path.name: path.read_bytes()
        for path in tmp_path.iterdir()
        if path.suffix not in (".br", ".gz")
    }
    committed = {name: file.contents["identity"] for name, file in built_files().items()}
    assert fresh.keys() == committed.keys(), "run `poe console` and commit what it builds"
    assert fresh == committed
