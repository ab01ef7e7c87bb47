"""Results in one form, whatever a search engine sends."""

import html
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from cartrita.domain.json import JsonObject, JsonValue
from cartrita.domain.web import LONGEST_URL, WebResult
from cartrita.kit.text import storable_text

LONGEST_TITLE: Final = 300
LONGEST_CONTENT: Final = 4000
"""Of one result, in characters; engines send a few hundred as a rule."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")


def results_of(
    items: JsonValue,
    most: int,
    *,
    content: str,
    date: str,
    score: str | None = None,
    marked_up: bool = False,
) -> tuple[WebResult, ...]:
    """The first `most` results of a list, from these fields; what has no address is left out.

    Those without a `score` of their own get 1/rank. `marked_up` texts hold tags and entities.
    """
    found: list[WebResult] = []
    for item in objects_in(items):
        if len(found) == most:
            break
        url = web_address(item.get("url"))
        if url is None:
            continue
        found.append(
            WebResult(
                title=plain(item.get("title"), LONGEST_TITLE, marked_up=marked_up) or url,
                url=url,
                content=plain(item.get(content), LONGEST_CONTENT, marked_up=marked_up),
                score=_score(item.get(score) if score else None, len(found) + 1),
                published_at=moment(item.get(date)),
            )
        )
    return tuple(found)


def objects_in(items: JsonValue) -> Iterable[JsonObject]:
    """The objects of a list, and nothing of anything else."""
    return (item for item in items if isinstance(item, dict)) if isinstance(items, list) else ()


def plain(value: JsonValue, most: int, *, marked_up: bool = False) -> str:
    """A text on one line, without tags where it is marked up; "" for what is no text."""
    if not isinstance(value, str):
        return ""
    text = value[: 4 * most]
    if marked_up:
        text = html.unescape(_TAG.sub("", text))
    text = " ".join(storable_text(text).split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def web_address(value: JsonValue) -> str | None:
    """An address of the web, which readers may be sent to."""
    if not isinstance(value, str) or len(value) > LONGEST_URL or storable_text(value) != value:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


def moment(value: JsonValue) -> datetime | None:
    """A moment as ISO 8601 or as in e-mail; in UTC, where it names no time zone."""
    if not isinstance(value, str) or not value:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(value)
        except (ValueError, OverflowError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _score(value: JsonValue, rank: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return round(1 / rank, 4)
    return float(min(max(value, 0.0), 1.0))  # before it is made one: there are longer integers
