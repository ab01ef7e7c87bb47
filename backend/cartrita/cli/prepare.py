"""Once at each start, by one worker: the schema, the secret's agreement, the first key."""

from cartrita.adapters.persistence import installation, schema
from cartrita.assembly import access, database_at, sqlalchemy_url
from cartrita.cli.brief import Brief, Prepared
from cartrita.domain.accounts import LOCAL_OWNER, Principal
from cartrita.kit.derivation import derive
from cartrita.kit.secret import Secret
from cartrita.settings import Settings


async def prepare(order: Brief, settings: Settings) -> Prepared:
    """Raises SchemaTooNew, SecretMismatch and what the database raises."""
    await schema.upgrade(sqlalchemy_url(order.dsn))
    secret = Secret(order.secret)
    async with database_at(settings, order.dsn) as database:
        await installation.agree(database, derive(secret, "installation"))
        keys, sessions = access(database, secret, settings)
        made: str | None = None
        if settings.auth.bootstrap_key is None and not await keys.list(None):
            _, shown = await keys.create(LOCAL_OWNER, "first key")
            made = shown.reveal()
        code = await sessions.issue_code(Principal(LOCAL_OWNER, "operator"))
        return Prepared(code.reveal(), made)
