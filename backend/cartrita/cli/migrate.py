"""`cartrita migrate`: bring the database to this version's schema, as each start does."""

import argparse
import asyncio

from cartrita.adapters.persistence import schema
from cartrita.cli.access import refusing
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, _: argparse.Namespace) -> None:
    with open_database(settings) as endpoint, refusing():
        asyncio.run(schema.upgrade(endpoint.sqlalchemy_url()))
    print(f"The database is at schema {schema.head()}.")
