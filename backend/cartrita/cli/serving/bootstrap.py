"""Once at each start, by one worker: the schema, the secret's agreement, the first key."""

from cartrita.adapters.persistence import capacity, installation, schema
from cartrita.adapters.persistence.capacity import TooFewConnections
from cartrita.adapters.persistence.installation import SecretMismatch
from cartrita.adapters.persistence.reachability import DatabaseUnreachable, require_reachable
from cartrita.adapters.persistence.schema import SchemaTooNew
from cartrita.assembly.access import access, database_at, sqlalchemy_url
from cartrita.assembly.budget import connections
from cartrita.cli.serving.worker_protocol import Prepared, WorkerConfig
from cartrita.domain.accounts import LOCAL_OWNER
from cartrita.domain.errors import CartritaError
from cartrita.kit.derivation import derive
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

REFUSALS = (
    CartritaError,
    DatabaseUnreachable,
    SchemaTooNew,
    SecretMismatch,
    TooFewConnections,
)
"""Starting again is no use before somebody has done what their sentence says."""


async def bootstrap(config: WorkerConfig, settings: Settings) -> Prepared:
    """Raises the errors in REFUSALS, and what the database raises."""
    if settings.database.url is not None:
        await require_reachable(config.dsn, settings.database.connect_timeout_s)
    await schema.upgrade(sqlalchemy_url(config.dsn))
    secret = Secret(config.secret)
    async with database_at(settings, config.dsn) as database:
        await capacity.require(database, connections(settings))
        digest = derive(secret, "installation").reveal().encode()
        await installation.agree(database, digest)
        keys, sessions = access(database, secret, settings)
        made: str | None = None
        if await keys.local() is None:
            _, shown = await keys.create(LOCAL_OWNER, "first key")
            made = shown.reveal()
        local = await keys.local()
        code = None if local is None else await sessions.issue_code(local)
        return Prepared("" if code is None else code.reveal(), made)
