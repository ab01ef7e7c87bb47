"""Alembic, run over a connection that is there already."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def to_head(connection: Connection, folder: Path) -> None:
    """Run what is missing, each migration in its own transaction."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
