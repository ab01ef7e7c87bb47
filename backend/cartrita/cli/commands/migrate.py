"""`cartrita migrate`: upgrade the database schema to this version, as each start does."""

import argparse
import asyncio

from cartrita.adapters.persistence import schema
from cartrita.cli.database import migrate_database, open_database
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    with open_database(settings, create=True) as endpoint:
        asyncio.run(migrate_database(settings, endpoint))
    print(f"The database is at schema {schema.head()}.")
