"""`cartrita backup`: write everything into one file, whether the server runs or not."""

import argparse

from cartrita.adapters import postgres
from cartrita.assembly.files import file_folder
from cartrita.cli.backup_archive import write_backup
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    folder = file_folder(settings)
    with open_database(settings) as endpoint:
        files = write_backup(endpoint, postgres.find(), folder, given.file, overwrite=given.replace)
    print(f"Wrote {given.file}, with the bytes of {files:,} files.")
    if folder is None:
        print(
            f"The bytes of files are in {settings.files.storage}, and none of them in the backup: "
            "let the bucket keep versions."
        )
    if settings.auth.secret is None:
        print(
            f"Keep {settings.data_dir / 'secret'} with it: without this file the keys in the "
            "backup are of no use."
        )
