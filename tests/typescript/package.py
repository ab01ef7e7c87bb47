"""The npm package, built from its committed lock, and programs that import it, run by Node."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.laws.tree import ROOT
from tests.sdks.npm_packages import commands

PACKAGE = ROOT / "frontend-contract"
PROGRAMS = Path(__file__).parent / "programs"
_FLAGS = ("--experimental-websocket", "--experimental-eventsource", "--no-warnings")
"""Node 20 has both behind flags, and warns of them."""
_WATCHDOG_S = 300.0


class Programs:
    """The compiled programs of this folder, or of another that was compiled like it."""

    def __init__(self, node: str, folder: Path) -> None:
        self._node = node
        self._folder = folder

    def run(self, name: str, /, **given: Any) -> list[dict[str, Any]]:
        """Run a program to its end; the facts that it told, in order."""
        printed = self.printed(name, self._folder, **given)
        return [json.loads(line) for line in printed.splitlines()]

    def printed(self, name: str, place: Path, /, **given: Any) -> str:
        """Run a program in a place, to its end; what it printed."""
        done = subprocess.run(
            [self._node, *_FLAGS, str(self._folder / f"{name}.js")],
            cwd=place,
            env={**os.environ, "GIVEN": json.dumps(given)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_WATCHDOG_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def built() -> str:
    """Node's command, once the package is built in `dist`."""
    node, npm = commands()
    with _alone():
        _install(npm)
        assert compile_folder(node, PACKAGE) == ""
    return node


def compile_folder(node: str, folder: Path, *options: str) -> str:
    """Compile by the folder's tsconfig.json; what the compiler complains of."""
    tsc = PACKAGE / "node_modules" / "typescript" / "bin" / "tsc"
    command = [node, str(tsc), "-p", str(folder / "tsconfig.json"), *options]
    return subprocess.run(command, capture_output=True, text=True).stdout


def compiled(node: str, source: Path, into: Path) -> Programs:
    """The programs of a folder, compiled, beside the package that they import."""
    complaints = compile_folder(node, source, "--outDir", str(into))
    assert complaints == ""
    scope = into / "node_modules" / "@cartrita"
    scope.mkdir(parents=True)
    (scope / "client").symlink_to(PACKAGE)
    (into / "package.json").write_text('{"type": "module"}')
    return Programs(node, into)


def _install(npm: list[str]) -> None:
    """What the lock names, checked by hash; again only where the lock has changed."""
    lock = hashlib.sha256((PACKAGE / "package-lock.json").read_bytes()).hexdigest()
    stamp = PACKAGE / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    shutil.rmtree(PACKAGE / "node_modules", ignore_errors=True)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, "ci", *options], cwd=PACKAGE, check=True)
    stamp.write_text(lock)


@contextmanager
def _alone() -> Generator[None]:
    """Test processes that run at the same time build one after the other."""
    folder = PACKAGE / "node_modules"
    folder.parent.mkdir(exist_ok=True)
    with (PACKAGE / ".npmrc").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
