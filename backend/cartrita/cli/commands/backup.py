"""`cartrita backup`: write the database into one file, whether the server runs or not."""

import argparse

from cartrita.adapters import postgres
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    with open_database(settings) as endpoint:
        postgres.backup(endpoint, postgres.find(), given.file, overwrite=given.replace)
    print(f"Wrote {given.file}.")
    if settings.auth.secret is None:
        print(
            f"Keep {settings.data_dir / 'secret'} with it: without this file the keys in the "
            "backup are of no use."
        )
