"""`cartrita restore`: read a backup into an empty database."""

import argparse

from cartrita.adapters import postgres
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    with open_database(settings, create=True) as endpoint:
        postgres.restore(endpoint, postgres.find(), given.file)
    print(f"Restored {given.file}.")
