"""`cartrita migrate`: bring the database to this version's schema, as each start does."""

import argparse
import asyncio

from cartrita.adapters.persistence import schema
from cartrita.cli.access import migrate, reporting_errors
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    with open_database(settings) as endpoint, reporting_errors():
        asyncio.run(migrate(settings, endpoint))
    print(f"The database is at schema {schema.head()}.")
