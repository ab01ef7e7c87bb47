"""The use cases that authenticate callers: API keys, login sessions, tickets and their users.

Budgets are theirs too.
"""

from datetime import timedelta
from typing import NamedTuple

from cartrita.adapters.persistence.accounts import TenantTable, UserTable
from cartrita.adapters.persistence.api_keys import ApiKeyTable
from cartrita.adapters.persistence.audit import AuditTable
from cartrita.adapters.persistence.budgets import BudgetTable
from cartrita.adapters.persistence.database import Database
from cartrita.adapters.persistence.tickets import TicketTable
from cartrita.application.accounts import Accounts
from cartrita.application.api_keys import ApiKeys
from cartrita.application.authentication import KeyAuthentication
from cartrita.application.brought_keys import BroughtKeys
from cartrita.application.budgets import Budgets
from cartrita.application.login_sessions import LoginSessions
from cartrita.application.tickets import Tickets
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


class Authentication(NamedTuple):
    """The use cases that authenticate callers, and of what they are known by."""

    key_authentication: KeyAuthentication
    api_keys: ApiKeys
    accounts: Accounts
    budgets: Budgets
    login_sessions: LoginSessions
    tickets: Tickets


def create_authentication(
    database: Database, secret: Secret, settings: Settings, brought: BroughtKeys | None = None
) -> Authentication:
    """The use cases of API keys, and of the sessions and tickets that are derived from them."""
    config = settings.auth
    pepper = derive_secret(secret, "pepper")
    key_table, users = ApiKeyTable(database), UserTable(database)
    keys = KeyAuthentication(
        key_table,
        pepper,
        config.bootstrap_key,
        keyless=config.mode == "loopback",
        brought=brought,
    )
    issued = ApiKeys(
        key_table, users, keys, pepper, overlap=timedelta(seconds=config.rotation_overlap_s)
    )
    accounts = Accounts(
        TenantTable(database), users, AuditTable(database), forget_keys=keys.known.forget_all
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
    budgets = Budgets(BudgetTable(database), accounts, issued)
    return Authentication(keys, issued, accounts, budgets, login_sessions, tickets)
