"""The log of changes is read by those who administer what was changed."""

from collections.abc import AsyncGenerator

import pytest
from tests.backend.application.access_fixture import Access, actors, outcome, two_tenants
from tests.harness.database import TemporaryDatabase


@pytest.fixture
async def access(database: TemporaryDatabase) -> AsyncGenerator[Access]:
    async with two_tenants(database.dsn) as made:
        yield made


async def test_an_admin_reads_of_the_own_tenant_only(access: Access) -> None:
    member, admin, operator = [actor.principal for actor in await actors(access)]
    assert await outcome(access.audit.page(member, None, 9)) == "admin_required"
    read = await access.audit.page(admin, None, 99)
    assert {entry.tenant_id for entry in read.items} == {"a"}
    first = await access.audit.page(operator, None, 1)
    assert first.next_cursor == str(first.items[0].id)
    assert {entry.tenant_id for entry in (await access.audit.page(operator, None, 99)).items} > {
        "a"
    }
