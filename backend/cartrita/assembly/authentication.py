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
from cartrita.application.access.authentication import KeyAuthentication
from cartrita.application.access.login_sessions import LoginSessions
from cartrita.application.access.tickets import Tickets
from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.audit import AuditLog
from cartrita.application.budgets import Budgets
from cartrita.application.keys.api_keys import ApiKeys
from cartrita.application.keys.kinds import KeyKind
from cartrita.application.keys.known_keys import KnownKeys
from cartrita.application.keys.own_keys import OwnKeys
from cartrita.kit.secret import Secret, derive_secret
from cartrita.settings import Settings


class Authentication(NamedTuple):
    """The use cases that authenticate callers, and of what they are known by."""

    key_authentication: KeyAuthentication
    own_keys: OwnKeys
    known_keys: KnownKeys
    api_keys: ApiKeys
    tenants: Tenants
    users: Users
    audit: AuditLog
    budgets: Budgets
    login_sessions: LoginSessions
    tickets: Tickets


def create_authentication(
    database: Database, secret: Secret, settings: Settings, brought: KeyKind | None = None
) -> Authentication:
    """The use cases of API keys, and of the sessions and tickets that are derived from them."""
    config = settings.auth
    pepper = derive_secret(secret, "pepper")
    key_table, user_table = ApiKeyTable(database), UserTable(database)
    known = KnownKeys(key_table)
    own = OwnKeys(key_table, known, pepper, config.bootstrap_key, keyless=config.mode == "loopback")
    keys = KeyAuthentication(own, brought)
    issued = ApiKeys(
        key_table, user_table, known, pepper, overlap=timedelta(seconds=config.rotation_overlap_s)
    )
    tenants = Tenants(TenantTable(database), forget_keys=known.forget_all)
    users = Users(user_table, tenants, forget_keys=known.forget_all)
    audit = AuditLog(AuditTable(database))
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
    budgets = Budgets(BudgetTable(database), tenants, users, issued)
    return Authentication(
        keys, own, known, issued, tenants, users, audit, budgets, login_sessions, tickets
    )
