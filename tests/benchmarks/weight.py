"""What the server weighs: its wheel, what it brings with it, and what importing it costs."""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.figures import Figures, report, table
from tests.benchmarks.imports import import_ms
from tests.benchmarks.options import Options

_ROOT = Path(__file__).parents[2]
_EXTRAS = {
    "base": "",
    "of the README's line": "[embedded,tokens,files]",
    "of the image": "[embedded,tokens,valkey,files,tracing]",
}


def measure(options: Options) -> None:
    """Sizes are the same on each machine with the same wheels; milliseconds are not."""
    rows = {
        "`cartrita` (each command)": import_ms("import cartrita.cli.main"),
        "the application (each worker)": import_ms("import cartrita.app"),
    }
    report(table("milliseconds of imports, in new processes", rows))
    installed: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory() as name:
        wheel = _wheel(Path(name))
        report(table("wheel", {"cartrita": {"MB": wheel.stat().st_size / 1e6}}))
        for called, extras in _EXTRAS.items():
            installed[called] = _weighed(_environment(Path(name), f"{wheel}{extras}"))
    report(table("installed", installed))


def _wheel(folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=_ROOT / "backend", check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def _environment(folder: Path, requirement: str) -> Path:
    """One with this, and the versions of the lock."""
    target = folder / "environment"
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "-q", "--clear", target], check=True)
    lock = ["--constraints", _ROOT / "requirements.lock"]
    install = [uv, "pip", "install", "-q", "--python", target, *lock, requirement]
    subprocess.run(install, check=True)
    return target


def _weighed(folder: Path) -> Figures:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        "distributions": len([*folder.rglob("*.dist-info")]),
        "files": len(files),
        "MB": sum(path.stat().st_size for path in files) / 1e6,
    }
