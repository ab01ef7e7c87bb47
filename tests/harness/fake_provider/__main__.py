"""Run the fake provider: `python -m tests.harness.fake_provider --port 0`."""

import argparse
import sys
from typing import get_args

from tests.harness.fake_provider.dialect import Service
from tests.harness.fake_provider.manners import Manner, Manners
from tests.harness.fake_provider.server import Server
from tests.harness.stand_ins import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="fake_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=0, help="of the words it answers with")
    parser.add_argument(
        "--key", action="append", default=[], help="accepted; sk-faked if not given"
    )
    parser.add_argument("--no-key", action="store_true", help="ask for no key at all")
    parser.add_argument("--model", action="append", default=[], help="another model to know")
    parser.add_argument("--manners", choices=get_args(Manner), default="vendor", help="whose")
    parser.add_argument("--oauth", action="store_true", help="accept tokens of /oauth/token only")
    parser.add_argument("--keep", type=int, default=10_000, help="how many requests to remember")
    options = parser.parse_args()
    keys = [] if options.no_key else options.key or ["sk-faked"]
    service = Service(
        seed=options.seed,
        keys=keys,
        models=options.model,
        manners=Manners(options.manners),
        oauth=options.oauth,
    )
    return run(Server(service, keep=options.keep).serve, options.port)


if __name__ == "__main__":
    sys.exit(main())
