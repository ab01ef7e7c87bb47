"""Run benchmarks: `python -m tests.benchmarks NAME [--seconds S] [--rounds N] [--streams N,N]`."""

import argparse
import signal
import sys

from tests.benchmarks import (
    admission,
    client,
    conversation,
    desktop,
    limits,
    metrics,
    native,
    relay,
    retrieval,
    runlog,
    sockets,
    start,
    streams,
    tracing,
    visible,
    voice,
    voice_live,
    weight,
)
from tests.benchmarks.options import Options

from cartrita import logs

_BENCHMARKS = {
    "runlog": runlog.measure,
    "visible": visible.measure,
    "admission": admission.measure,
    "conversation": conversation.measure,
    "streams": streams.measure,
    "sockets": sockets.measure,
    "start": start.measure,
    "native": native.measure,
    "relay": relay.measure,
    "limits": limits.measure,
    "metrics": metrics.measure,
    "retrieval": retrieval.measure,
    "client": client.measure,
    "desktop": desktop.measure,
    "tracing": tracing.measure,
    "voice": voice.measure,
    "voice-live": voice_live.measure,
    "weight": weight.measure,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", choices=_BENCHMARKS)
    parser.add_argument("--seconds", type=float, default=4.0, help="of one measurement, <= 60")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over, <= 20")
    parser.add_argument("--streams", default="", help="how many at once, separated by commas")
    parser.add_argument("--rate", type=float, default=10.0, help="events a second of each stream")
    given = parser.parse_args()
    # However we are stopped, the servers that we started are stopped too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logs.configure("error", "console")
    _BENCHMARKS[given.name](
        Options(
            seconds=min(given.seconds, 60.0),
            rounds=min(given.rounds, 20),
            streams=tuple(int(number) for number in given.streams.split(",") if number),
            rate=given.rate,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
