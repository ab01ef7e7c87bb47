"""What an import costs, in processes of their own."""

import subprocess
import sys

_IMPORTS = 15
_TIMED = """
import time
began, spent = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - began, time.process_time() - spent)
"""


def import_ms(code: str) -> dict[str, float]:
    """Milliseconds of these statements: by the clock, and of the processor."""
    told = [
        subprocess.check_output([sys.executable, "-c", _TIMED.format(code)]).split()
        for _ in range(_IMPORTS)
    ]
    times, spent = (sorted(1000 * float(each[place]) for each in told) for place in (0, 1))
    middle = _IMPORTS // 2
    return {
        "median": times[middle], "least": times[0], "most": times[-1], "CPU median": spent[middle]
    }  # fmt: skip
