"""Running Alembic's upgrade over an existing connection."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade_to_head(connection: Connection, folder: Path) -> None:
    """Run the missing migrations, each in its own transaction."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
