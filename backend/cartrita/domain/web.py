"""The web: what it is searched for, what is found there, and pages as text."""

from datetime import datetime
from enum import StrEnum

import msgspec

MOST_RESULTS = 20
LONGEST_QUERY = 2000
"""In characters; search engines cut it or refuse it earlier."""
LONGEST_URL = 2048


class Topic(StrEnum):
    """What kind of pages are searched; engines without a topic search them all."""

    GENERAL = "general"
    NEWS = "news"
    FINANCE = "finance"


class TimeRange(StrEnum):
    """How old what is found may be."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class WebQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One search. `include_answer` wants a short answer made of the results, where one is made."""

    text: str
    max_results: int = 5
    topic: Topic = Topic.GENERAL
    time_range: TimeRange | None = None
    include_answer: bool = False


class WebResult(msgspec.Struct, frozen=True, kw_only=True):
    """One page that was found: `content` is plain text of it.

    `score` is from 0 to 1, the higher the better; it is 1/rank where the engine tells no number
    that could be compared.
    """

    title: str
    url: str
    content: str
    score: float
    published_at: datetime | None = None


class WebResults(msgspec.Struct, frozen=True):
    """What a search found, the best first, and by which engine."""

    provider: str
    results: tuple[WebResult, ...]
    answer: str | None = None


class WebPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page as text; `url` is where it was found after redirects.

    It is `truncated` if it was longer than what is read of a page.
    """

    url: str
    title: str
    text: str
    truncated: bool = False
