"""`cartrita restore`: read a backup into an empty database."""

import argparse

from cartrita.adapters import postgres
from cartrita.cli.reach import reached
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    with reached(settings) as endpoint:
        postgres.restore(endpoint, postgres.find(), given.file)
    print(f"Restored {given.file}.")
