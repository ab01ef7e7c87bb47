"""Run the stand-in of Deepgram: `python -m tests.harness.deepgram --port 0`."""

import argparse
import sys

from tests.harness.deepgram.server import Server
from tests.harness.deepgram.state import State
from tests.harness.stand_ins import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="deepgram", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--key", action="append", required=True, help="accepted")
    parser.add_argument("--silence", type=float, default=10.0, help="seconds until NET-0001")
    parser.add_argument("--flushes", type=int, default=20, help="that it takes in a minute")
    options = parser.parse_args()
    state = State(options.key, options.silence, options.flushes)
    return run(Server(state).serve, options.port)


if __name__ == "__main__":
    sys.exit(main())
