"""`cartrita restore`: read a backup into an empty database."""

import argparse

from cartrita.adapters import postgres
from cartrita.assembly.files import file_folder
from cartrita.cli.backup_archive import read_backup
from cartrita.cli.database import open_database
from cartrita.settings import Settings


def run(settings: Settings, given: argparse.Namespace) -> None:
    folder = file_folder(settings)
    with open_database(settings, create=True) as endpoint:
        files = read_backup(endpoint, postgres.find(), folder, given.file, settings.data_dir)
    if folder is not None or not files:
        print(f"Restored {given.file}, with the bytes of {files:,} files.")
        return
    print(
        f"Restored {given.file} without the bytes of its {files:,} files: unpack it with tar, and "
        f"copy what is in files/ to {settings.files.storage}."
    )
