"""The program `cartrita` of this environment, and what its processes inherit of ours."""

import os
import sys
from pathlib import Path

PROGRAM = str(Path(sys.executable).with_name("cartrita"))
_PASSED_ON = (
    "PATH",
    "PYTHONPATH",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "COVERAGE_PROCESS_START",
    "COVERAGE_FILE",
)


def inherited() -> dict[str, str]:
    """The environment that is passed on: no setting of anybody."""
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
