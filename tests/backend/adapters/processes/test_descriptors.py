"""What a process was left open is closed, and its standard streams are not."""

import socket
import subprocess
import sys

_PROGRAM = """
import os, sys
from cartrita.adapters.processes.descriptors import close_inherited
os.fstat(int(sys.argv[1]))
close_inherited()
try:
    os.fstat(int(sys.argv[1]))
except OSError:
    print("closed", sys.stdin.read())
"""


def test_a_socket_of_whoever_starts_a_process_is_closed() -> None:
    with socket.socket() as listener:
        number = listener.fileno()
        ended = subprocess.run(
            [sys.executable, "-c", _PROGRAM, str(number)],
            pass_fds=[number],
            input=b"moss",
            capture_output=True,
            check=True,
        )
    assert ended.stdout.split() == [b"closed", b"moss"]
