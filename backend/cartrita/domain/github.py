"""Searches of GitHub, and what they find."""

from enum import StrEnum

import msgspec

from cartrita.domain.json import JsonObject

LONGEST_GITHUB_QUERY = 256
"""GitHub's own limit, in characters."""
MOST_GITHUB_RESULTS = 100
"""On one page."""
LAST_GITHUB_RESULT = 1000
"""Results after this one cannot be read."""


class GitHubKind(StrEnum):
    """What is searched. Code is searched only for who has a token."""

    REPOSITORIES = "repositories"
    CODE = "code"
    ISSUES = "issues"


class GitHubQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a search; `text` may have GitHub's qualifiers, as `language:python`."""

    text: str
    kind: GitHubKind = GitHubKind.REPOSITORIES
    limit: int = 10
    page: int = 1


class GitHubHit(msgspec.Struct, frozen=True, kw_only=True):
    """Something found: `content` is plain text of it, and `metadata` depends on the kind."""

    title: str
    url: str
    content: str
    metadata: JsonObject = {}


class GitHubResults(msgspec.Struct, frozen=True):
    """One page of hits. It is `incomplete` if GitHub ran out of time before it had seen all."""

    hits: tuple[GitHubHit, ...]
    total: int
    incomplete: bool = False
