"""The use cases that authenticate callers: API keys and login sessions."""

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.api_keys import ApiKeys
from cartrita.application.sessions import Sessions
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


def create_authentication(
    database: Database, secret: Secret, settings: Settings
) -> tuple[ApiKeys, Sessions]:
    """The use cases of API keys, and of the sessions and tickets that are derived from them."""
    config = settings.auth
    keys = ApiKeys(
        ApiKeyTable(database),
        derive_secret(secret, "pepper"),
        config.bootstrap_key,
        keyless=config.mode == "loopback",
    )

    tickets = TicketTable(database)
    sessions = Sessions(
        tickets,
        keys,
        derive_secret(secret, "sessions"),
        tickets.started,
        session_s=config.session_s,
        ticket_s=config.ticket_s,
        sign_in_code_s=config.sign_in_code_s,
    )
    return keys, sessions
