"""What agents are told of a search of GitHub."""

from tests.backend.tools.contexts import context

from cartrita.domain.github import GitHubHit, GitHubKind, GitHubQuery, GitHubResults
from cartrita.domain.ledger import ToolSpending
from cartrita.domain.principals import Principal
from cartrita.tools.github_search import github_search_tool
from cartrita.tools.tool import Source


class GitHub:
    def __init__(self, *hits: GitHubHit, incomplete: bool = False) -> None:
        self.hits = hits
        self.incomplete = incomplete
        self.asked: list[GitHubQuery] = []

    async def search(
        self, principal: Principal, query: GitHubQuery, spending: ToolSpending | None = None
    ) -> GitHubResults:
        assert spending is not None
        assert principal.owner_id == "ann"
        self.asked.append(query)
        return GitHubResults(self.hits, 77, self.incomplete)


async def test_a_search_of_github() -> None:
    hit = GitHubHit(
        title="owner/moss",
        url="https://github.com/owner/moss",
        content="A library.",
        metadata={"language": "Python", "stars": 7, "license": "", "topics": ["a"]},
    )
    github = GitHub(hit, incomplete=True)
    output = await github_search_tool(github).run(
        context(), {"query": "moss", "kind": "repositories", "max_results": 3}
    )
    assert output.text == (
        "GitHub has 77 repositories for this; these are page 1. It had no time to look at all.\n\n"
        "owner/moss\nhttps://github.com/owner/moss\nlanguage: Python, stars: 7\nA library."
    )
    assert output.sources == (Source("owner/moss", "https://github.com/owner/moss", "A library."),)
    assert github.asked == [GitHubQuery(text="moss", kind=GitHubKind.REPOSITORIES, limit=3)]
    nothing = await github_search_tool(GitHub()).run(context(), {"query": "x", "kind": "issues"})
    assert nothing.text == "GitHub found no issues for: x"
