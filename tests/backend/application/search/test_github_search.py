"""GitHub is searched for callers, code only with a token."""

import pytest
from tests.backend.fake_services import OWN, Calls, FakeHost, principal

from cartrita.application.search.github_search import GitHubSearches
from cartrita.domain.errors import Forbidden, InvalidInput, NotFound
from cartrita.domain.github import GitHubKind, GitHubQuery
from cartrita.domain.scopes import Operation, Scopes


class Searching:
    def __init__(self) -> None:
        self.fake = Calls()
        self.host = FakeHost("github")
        self.github = GitHubSearches(self.host, self.fake.calls, clock=self.fake.time.clock)


async def test_results_are_kept_for_their_owner() -> None:
    searching = Searching()
    for text in ("moss", " moss "):
        found = await searching.github.search(principal(), GitHubQuery(text=text))
        assert found.hits[0].title == "moss"
    assert len(searching.host.asked) == 1
    await searching.github.search(principal("bob"), GitHubQuery(text="moss"))
    assert len(searching.host.asked) == 2
    searching.fake.time.now += 300.0
    await searching.github.search(principal(), GitHubQuery(text="moss"))
    assert len(searching.host.asked) == 3


async def test_code_needs_a_token() -> None:
    searching = Searching()
    query = GitHubQuery(text="moss", kind=GitHubKind.CODE)
    with pytest.raises(NotFound, match="GITHUB_API_KEY"):
        await searching.github.search(principal(), query)
    searching.fake.paying.of_owners = {"ann": {"github": OWN}}
    await searching.github.search(principal(), query)
    assert searching.host.asked == ["key-of-ann"]


async def test_scopes() -> None:
    searching = Searching()
    await searching.github.search(principal(), GitHubQuery(text="moss"))
    for scopes in (Scopes(providers=("tavily",)), Scopes(operations=(Operation.CHAT,))):
        with pytest.raises(Forbidden):
            await searching.github.search(principal(scopes=scopes), GitHubQuery(text="moss"))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (GitHubQuery(text=" "), "q"),
        (GitHubQuery(text="x" * 257), "q"),
        (GitHubQuery(text="x", limit=0), "limit"),
        (GitHubQuery(text="x", limit=101), "limit"),
        (GitHubQuery(text="x", page=0), "page"),
        (GitHubQuery(text="x", limit=100, page=11), "page"),
    ],
)
async def test_bad_queries(query: GitHubQuery, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await Searching().github.search(principal(), query)
    assert list(caught.value.fields) == [field]
