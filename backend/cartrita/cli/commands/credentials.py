"""`cartrita credentials add | list | rotate | revoke`: keys of providers, of users and tenants."""

import argparse
import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from getpass import getpass
from typing import NamedTuple

from cartrita.adapters.http.client import HttpClient
from cartrita.adapters.persistence.credentials import CredentialTable
from cartrita.application.accounts.tenants import Tenants
from cartrita.application.accounts.users import Users
from cartrita.application.credentials.credentials import Credentials
from cartrita.assembly.authentication import create_authentication
from cartrita.assembly.credentials import create_credentials, open_credentials
from cartrita.assembly.database import open_connection_pool
from cartrita.assembly.providers import create_all_keys_validator, create_unpaid, open_providers
from cartrita.assembly.search import create_search_services
from cartrita.assembly.speech import create_speech_services
from cartrita.cli.database import migrate_database, open_database
from cartrita.cli.errors import CommandError
from cartrita.cli.instance_files import open_instance_files
from cartrita.domain.audit import COMMAND_LINE, COMMAND_LINE_ID, Actor
from cartrita.domain.credentials import ProviderCredential
from cartrita.domain.principals import LOCAL_OWNER, Principal
from cartrita.kit import clock
from cartrita.kit.secret import Secret
from cartrita.settings import Settings

_PAGE = 1000


class _Opened(NamedTuple):
    """What the command works on."""

    credentials: Credentials
    tenants: Tenants
    users: Users
    table: CredentialTable


def run(settings: Settings, given: argparse.Namespace) -> None:
    key = _read_key() if given.verb in ("add", "rotate") else Secret("")
    asyncio.run(_run(settings, given, key))


async def _run(settings: Settings, given: argparse.Namespace, key: Secret) -> None:
    async with _open(settings) as opened:
        match given.verb:
            case "add":
                actor = await _holder(opened, given.owner, given.tenant)
                shared = given.tenant is not None
                made = await opened.credentials.store(actor, given.provider, key, shared=shared)
                print(f"Credential {made.id} pays for {_whose(made)} at {made.provider}.")
            case "list":
                actor = await _holder(opened, given.owner, given.tenant)
                await _list(opened.credentials, actor.principal)
            case "rotate":
                overlap = None if given.overlap is None else timedelta(seconds=given.overlap)
                actor = await _of(opened.table, given.id)
                made = await opened.credentials.rotate(actor, given.id, key, overlap=overlap)
                print(f"Its successor {made.id} pays for {_whose(made)} at {made.provider}.")
            case _:
                await opened.credentials.revoke(await _of(opened.table, given.id), given.id)
                print(f"Credential {given.id} is revoked.")


@asynccontextmanager
async def _open(settings: Settings) -> AsyncGenerator[_Opened]:
    secret = open_instance_files(settings).secret
    with open_database(settings) as endpoint:
        await migrate_database(settings, endpoint)
        async with (
            open_connection_pool(settings, endpoint.dsn()) as database,
            HttpClient() as http,
        ):
            providers = await open_providers(settings, http)
            unpaid = create_unpaid(settings, http, {one.summary.name for one in providers})
            opened = [*providers, *unpaid]
            speech = create_speech_services(settings, http, opened)
            services = [*create_search_services(settings, http).keyed, *speech.transcribers]
            validator = create_all_keys_validator(settings, opened, services)
            parts = await open_credentials(settings, database, secret)
            authentication = create_authentication(database, secret, settings)
            yield _Opened(
                create_credentials(settings, parts, validator, authentication.api_keys),
                authentication.tenants,
                authentication.users,
                parts.table,
            )


async def _holder(opened: _Opened, owner: str | None, tenant: str | None) -> Actor:
    """Who has the credentials of a user, of a tenant, or else of the operator."""
    if tenant is not None:
        await opened.tenants.get(COMMAND_LINE.principal, tenant)
        return _actor(LOCAL_OWNER, tenant)
    user = await opened.users.get(COMMAND_LINE.principal, owner or LOCAL_OWNER)
    return _actor(user.id, user.tenant_id)


async def _of(table: CredentialTable, credential_id: str) -> Actor:
    """Who has this credential; whoever asks for one that is not there learns it next."""
    stored = await table.get(credential_id)
    if stored is None:
        return COMMAND_LINE
    return _actor(stored.credential.owner_id or LOCAL_OWNER, stored.credential.tenant_id)


def _actor(owner_id: str, tenant_id: str) -> Actor:
    return Actor(Principal(owner_id, COMMAND_LINE_ID, tenant_id, admin=True))


def _read_key() -> Secret:
    """The provider's key: asked for, or the first line of what is piped in."""
    text = getpass("The provider's key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise CommandError("There is no key: pipe it in, or start the command on a terminal.")
    return Secret(text.strip())


async def _list(credentials: Credentials, by: Principal) -> None:
    cursor: str | None = None
    while True:
        page = await credentials.page(by, cursor, _PAGE)
        for one in page.items:
            made = f"{one.created_at:%Y-%m-%d %H:%M}"
            state = one.state(clock.now())
            print(f"{one.id}  {_whose(one)}  {one.provider}  {state}  {made}  ...{one.hint}")
        cursor = page.next_cursor
        if cursor is None:
            return


def _whose(credential: ProviderCredential) -> str:
    return credential.owner_id or f"tenant:{credential.tenant_id}"
