"""Keys that are made, listed, rotated and revoked on the command line, of a server that runs."""

import asyncio
import re
from uuid import uuid4

from tests.harness.command import PROGRAM
from tests.harness.scenario import Scenario, eventually

_SHOWN = re.compile(r"ck_([0-9a-f]+)_\w+")


async def command(scenario: Scenario, *words: str) -> str:
    """What `cartrita` prints. Raises AssertionError if it fails."""
    done = await asyncio.create_subprocess_exec(
        PROGRAM,
        *words,
        env=scenario.server.environment,
        cwd=scenario.server.root,
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await done.communicate()
    assert done.returncode == 0, printed
    return printed.decode()


async def new_key(scenario: Scenario, *words: str) -> tuple[str, str]:
    """The id and the secret of a key that a command shows."""
    shown = _SHOWN.search(await command(scenario, "keys", *words))
    assert shown is not None
    return shown[1], shown[0]


async def works(scenario: Scenario, secret: str) -> bool:
    status, _ = await scenario.call("GET", "/api/conversations", X_API_Key=secret)
    assert status in (200, 401)
    return status == 200


async def ends_everywhere(scenario: Scenario, secret: str) -> None:
    """Wait until every worker refuses a key."""

    async def refused() -> bool | None:
        return not any([await works(scenario, secret) for _ in range(5)]) or None

    await eventually(refused)


async def test_a_key_is_made_rotated_and_revoked(scenario: Scenario) -> None:
    user = f"user-{uuid4().hex}"
    first, secret = await new_key(scenario, "create", "a name", "--owner", user)
    assert await works(scenario, secret)
    second, successor = await new_key(scenario, "rotate", first, "--overlap", "0")
    assert await works(scenario, successor)
    await ends_everywhere(scenario, secret)
    listed = await command(scenario, "keys", "list", "--owner", user)
    states = {line.split()[0]: line.split()[2] for line in listed.splitlines()}
    assert states == {first: "retired", second: "active"}
    assert secret not in listed
    await command(scenario, "keys", "revoke", second)
    await ends_everywhere(scenario, successor)
