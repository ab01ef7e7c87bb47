"""The schema as SQLAlchemy Core tables; a test compares it with `migrations/`."""

from cartrita.adapters.persistence.tables import access as access
from cartrita.adapters.persistence.tables import conversations as conversations
from cartrita.adapters.persistence.tables import desktops as desktops
from cartrita.adapters.persistence.tables import files as files
from cartrita.adapters.persistence.tables import runs as runs
from cartrita.adapters.persistence.tables import steps as steps
from cartrita.adapters.persistence.tables import usage as usage
