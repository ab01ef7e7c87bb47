"""What all tables belong to, and what their moments are."""

from sqlalchemy import MetaData
from sqlalchemy.dialects.postgresql import TIMESTAMP

metadata = MetaData()
MOMENT = TIMESTAMP(timezone=True)
