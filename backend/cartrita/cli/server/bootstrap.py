"""What one worker does at each start: migrate, check the secret, create the first key."""

from cartrita.adapters.persistence import schema
from cartrita.adapters.persistence.startup_checks import (
    require_connections,
    require_reachable,
    require_same_secret,
)
from cartrita.assembly.answer_cache import create_valkey_server
from cartrita.assembly.authentication import create_authentication
from cartrita.assembly.connection_count import connection_count
from cartrita.assembly.database import open_connection_pool
from cartrita.cli.server.worker_messages import Prepared, WorkerConfig
from cartrita.domain.audit import COMMAND_LINE
from cartrita.domain.principals import LOCAL_OWNER
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


async def bootstrap(config: WorkerConfig, settings: Settings) -> Prepared:
    """Raises OperatorError and CartritaError, and what the database raises."""
    if settings.cache.store == "valkey":
        await create_valkey_server(settings).close()
    if settings.database.url is not None:
        await require_reachable(config.dsn, settings.database.connect_timeout_s)
    await schema.upgrade(config.dsn)
    secret = Secret(config.secret)
    async with open_connection_pool(settings, config.dsn) as database:
        await require_connections(database, connection_count(settings))
        digest = derive_secret(secret, "installation").reveal().encode()
        await require_same_secret(database, digest)
        authentication = create_authentication(database, secret, settings)
        keys = authentication.own_keys
        made: str | None = None
        if await keys.local_principal() is None:
            issued = authentication.api_keys
            _, shown = await issued.create(COMMAND_LINE, LOCAL_OWNER, "first key")
            made = shown.reveal()
        local = await keys.local_principal()
        code = None if local is None else await authentication.tickets.issue_sign_in_code(local)
        return Prepared("" if code is None else code.reveal(), made)
