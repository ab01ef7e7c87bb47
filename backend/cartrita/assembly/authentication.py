"""The use cases that authenticate callers: API keys, login sessions and tickets."""

from typing import NamedTuple

from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.api_keys import ApiKeys
from cartrita.application.login_sessions import LoginSessions
from cartrita.application.tickets import Tickets
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


class Authentication(NamedTuple):
    """The use cases that authenticate callers."""

    api_keys: ApiKeys
    login_sessions: LoginSessions
    tickets: Tickets


def create_authentication(database: Database, secret: Secret, settings: Settings) -> Authentication:
    """The use cases of API keys, and of the sessions and tickets that are derived from them."""
    config = settings.auth
    keys = ApiKeys(
        ApiKeyTable(database),
        derive_secret(secret, "pepper"),
        config.bootstrap_key,
        keyless=config.mode == "loopback",
    )
    login_sessions = LoginSessions(
        keys, derive_secret(secret, "sessions"), session_s=config.session_s
    )
    store = TicketTable(database)
    tickets = Tickets(
        store,
        keys,
        store.started,
        ticket_s=config.ticket_s,
        sign_in_code_s=config.sign_in_code_s,
    )
    return Authentication(keys, login_sessions, tickets)
