"""GitHub is asked as it wants to be, and its limits are told apart."""

import pytest
from tests.backend.adapters.search.conftest import Address
from tests.harness.search_services import github
from tests.harness.search_services.exchange import KEY, Reply
from tests.harness.search_services.server import SearchServices

from cartrita.adapters.search.github import GitHub
from cartrita.domain.errors import (
    UpstreamAuth,
    UpstreamLimited,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.github import GitHubKind, GitHubQuery
from cartrita.kit.secret import Secret


async def test_repositories(address: Address, services: SearchServices) -> None:
    found = await GitHub(address("github")).search(
        GitHubQuery(text="moss language:python", limit=2, page=3)
    )
    assert (found.total, found.incomplete) == (2345, False)
    first, second = found.hits
    assert first.title == "owner/moss-0"
    assert first.url == "https://github.com/owner/moss-0"
    assert first.content == "A library for moss language:python"
    assert first.metadata["stars"] == 100
    assert first.metadata["license"] == "MIT"
    assert first.metadata["topics"] == ["search"]
    assert second.content == ""
    (asked,) = services.asked
    assert asked.query == {"q": "moss language:python", "per_page": "2", "page": "3"}
    assert asked.headers["x-github-api-version"] == "2022-11-28"
    assert asked.bearer == KEY


async def test_code_with_what_matched(address: Address) -> None:
    found = await GitHub(address("github")).search(GitHubQuery(text="moss", kind=GitHubKind.CODE))
    first = found.hits[0]
    assert first.title == "owner/name/src/module_0.py"
    assert first.content == "def f():\n    return 'moss'"
    assert first.metadata["repository"] == "owner/name"


async def test_issues_and_pull_requests(address: Address) -> None:
    found = await GitHub(address("github", "")).search(
        GitHubQuery(text="moss", kind=GitHubKind.ISSUES, limit=2)
    )
    issue, pull_request = found.hits
    assert issue.title == "moss does not work"
    assert issue.content == "I tried moss. It fails."
    assert issue.metadata["repository"] == "owner/name"
    assert issue.metadata["labels"] == ["bug"]
    assert issue.metadata["author"] == "somebody"
    assert [one.metadata["pull_request"] for one in (issue, pull_request)] == [False, True]


async def test_the_limit_of_searches(address: Address, services: SearchServices) -> None:
    services.answer_next("github", github.limited(seconds=40), github.limited(429))
    for engine in (GitHub(address("github")), GitHub(address("github", ""))):
        with pytest.raises(UpstreamLimited, match="30 in a minute") as caught:
            await engine.search(GitHubQuery(text="moss"))
        assert caught.value.code == "upstream_rate_limited"
        assert caught.value.retry_after is not None
        assert 30 < caught.value.retry_after <= 41
        assert ("GITHUB_API_KEY" in caught.value.message) is not engine.has_key


@pytest.mark.parametrize(("seconds", "wait"), [(30, 30.0), (None, 60.0)])
async def test_the_limit_of_haste(
    address: Address, services: SearchServices, seconds: int | None, wait: float
) -> None:
    services.answer_next("github", github.slowed_down(seconds=seconds))
    with pytest.raises(UpstreamLimited, match="in a short time") as caught:
        await GitHub(address("github")).search(GitHubQuery(text="moss"))
    assert caught.value.code == "upstream_secondary_limit"
    assert caught.value.retry_after == wait


async def test_a_limit_without_a_reset(address: Address, services: SearchServices) -> None:
    reply = Reply(403, {"message": "rate limit"}, {"X-RateLimit-Remaining": "0"})
    services.answer_next("github", reply)
    with pytest.raises(UpstreamLimited) as caught:
        await GitHub(address("github")).search(GitHubQuery(text="moss"))
    assert caught.value.retry_after is None


async def test_a_token_that_is_not_accepted(address: Address, services: SearchServices) -> None:
    engine = GitHub(address("github", ""))
    await engine.with_key(Secret(KEY)).test_key()
    with pytest.raises(UpstreamAuth):
        await engine.with_key(Secret("wrong")).test_key()
    assert {one.path for one in services.asked} == {"/rate_limit"}


async def test_a_token_that_may_not(address: Address, services: SearchServices) -> None:
    services.answer_next("github", github.error(403, "Resource not accessible by token"))
    with pytest.raises(UpstreamAuth):
        await GitHub(address("github")).search(GitHubQuery(text="moss"))


async def test_a_query_that_is_not_accepted(address: Address) -> None:
    with pytest.raises(UpstreamRejected, match="longer than 256 characters"):
        await GitHub(address("github")).search(GitHubQuery(text="moss " * 60))


async def test_a_failure(address: Address, services: SearchServices) -> None:
    services.answer_next("github", Reply(503, {"message": "Unavailable"}))
    with pytest.raises(UpstreamOverloaded):
        await GitHub(address("github")).search(GitHubQuery(text="moss"))


async def test_items_without_an_address_are_left_out(
    address: Address, services: SearchServices
) -> None:
    items = [{"full_name": "a/b", "html_url": "javascript:alert(1)"}, {"license": None}, 7]
    services.answer_next("github", Reply(200, {"total_count": True, "items": items}))
    found = await GitHub(address("github")).search(GitHubQuery(text="moss"))
    assert (found.hits, found.total) == ((), 0)


@pytest.mark.parametrize("count", [1 << 62, 1 << 53, -1, "7", True])
async def test_counts_that_no_reader_has_room_for(
    address: Address, services: SearchServices, count: object
) -> None:
    services.answer_next("github", Reply(200, {"total_count": count, "items": []}))
    found = await GitHub(address("github")).search(GitHubQuery(text="moss"))
    assert found.total == 0
