"""Credentials that are added, listed, rotated and revoked on the command line."""

import asyncio
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
from tests.harness.command import PROGRAM
from tests.harness.fake_provider.launch import fake_provider
from tests.harness.fixtures import PROVIDER_KEY
from tests.harness.scenario import Scenario, eventually
from tests.harness.server import Server
from tests.journeys.accounts import new_key, new_tenant, new_user
from tests.journeys.v1 import exchange_with, post_json

OWN, NEWER, SHARED = (f"sk-proj-of-the-command-line-{number}" for number in range(3))
_ID = re.compile(r"\b[0-9a-f]{16}\b")


@pytest.fixture(scope="module")
def running() -> Iterator[Scenario]:
    """A server, whose provider accepts its key and those of the commands."""
    keys = [OWN, NEWER, SHARED]
    with (
        fake_provider(seed=7, key=PROVIDER_KEY, more_keys=keys) as upstream,
        Server(provider_url=upstream.base_url) as server,
    ):
        yield Scenario(server, upstream)


async def command(scenario: Scenario, *words: str, key: str = "", code: int = 0) -> tuple[str, str]:
    """What `cartrita credentials` prints, and what it prints to say what is wrong."""
    done = await asyncio.create_subprocess_exec(
        PROGRAM,
        "credentials",
        *words,
        env=scenario.server.environment,
        cwd=scenario.server.root,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, wrong = await done.communicate(f"{key}\n".encode())
    assert done.returncode == code, wrong.decode()
    assert not key or key not in (printed + wrong).decode()
    return printed.decode(), wrong.decode()


async def made(scenario: Scenario, *words: str, key: str = "") -> str:
    printed, _ = await command(scenario, *words, key=key)
    shown = _ID.search(printed.replace(words[1], "") if words[0] == "rotate" else printed)
    assert shown is not None
    return shown[0]


async def pays(scenario: Scenario, secret: str) -> str:
    """The key that pays for a call of this caller."""
    word = f"beryl-{uuid4().hex}"
    body = {"model": "openai/fake", "messages": [{"role": "user", "content": word}]}
    sent = {"Authorization": f"Bearer {secret}"}
    assert (await post_json(scenario, "/v1/chat/completions", body, **sent))[0] == 200
    header = exchange_with(scenario, word).header("authorization") or ""
    return header.removeprefix("Bearer ")


async def test_one_is_added_rotated_and_revoked_while_the_server_runs(running: Scenario) -> None:
    tenant = await new_tenant(running)
    user = await new_user(running, tenant)
    secret = (await new_key(running, user))["key"]
    assert await pays(running, secret) == PROVIDER_KEY

    async def paid_by(key: str) -> None:
        async def does() -> bool | None:
            return await pays(running, secret) == key or None

        await eventually(does)

    shared = await made(running, "add", "openai", "--tenant", tenant, key=SHARED)
    await paid_by(SHARED)
    own = await made(running, "add", "openai", "--owner", user, key=OWN)
    await paid_by(OWN)
    newer = await made(running, "rotate", own, "--overlap", "0", key=NEWER)
    await paid_by(NEWER)
    printed, _ = await command(running, "list", "--owner", user)
    rows = {line.split()[0]: line.split()[1:4] for line in printed.splitlines()}
    assert rows == {
        shared: [f"tenant:{tenant}", "openai", "active"],
        own: [user, "openai", "revoked"],
        newer: [user, "openai", "active"],
    }
    assert not any(key in printed for key in (OWN, NEWER, SHARED))
    await command(running, "revoke", newer)
    await paid_by(SHARED)
    await command(running, "revoke", shared)
    await paid_by(PROVIDER_KEY)
    changes = await running.fetch(
        "SELECT action, actor_key_id FROM audit_log WHERE tenant_id = $1 AND action LIKE 'cred%'",
        tenant,
    )
    assert {row["actor_key_id"] for row in changes} == {"cli"}
    assert sorted(row["action"] for row in changes) == [
        "credential.create",
        "credential.create",
        "credential.revoke",
        "credential.revoke",
        "credential.rotate",
    ]


@pytest.mark.parametrize(
    ("words", "key", "says"),
    [
        (("add", "openai"), "sk-that-nobody-knows", "does not accept this key"),
        (("add", "openai"), "", "There is no key"),
        (("add", "nobody"), OWN, "no provider nobody"),
        (("add", "openai", "--owner", "nobody"), OWN, "no such user"),
        (("add", "openai", "--tenant", "nobody"), OWN, "no such tenant"),
        (("rotate", "0123456789abcdef"), OWN, "no such credential"),
        (("revoke", "0123456789abcdef"), "", "no such credential"),
    ],
)
async def test_what_cannot_be_done_is_said(
    running: Scenario, words: tuple[str, ...], key: str, says: str
) -> None:
    _, wrong = await command(running, *words, key=key, code=1)
    assert says in wrong
