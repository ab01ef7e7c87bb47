"""Scores in the stand-in for Langfuse: it takes what the real API takes, and refuses the rest."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

SCORES = "/api/public/scores"
_FIELDS = frozenset(
    {
        *("id", "traceId", "sessionId", "observationId", "datasetRunId", "name", "value"),
        *("comment", "metadata", "environment", "queueId", "dataType", "configId", "source"),
        "timestamp",
    }
)


@dataclass
class Scores:
    """What there is now, by id; a score replaces one of the same id and time only."""

    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: int = 0
    """Requests that came, answered or not."""
    taken: int = 0
    deleted: list[str] = field(default_factory=list)
    late: dict[str, dict[str, Any]] | None = None
    """Where it is one, what is taken waits here until it arrives."""

    def arrive(self) -> None:
        """Have all that waits."""
        waiting, self.late = self.late or {}, None
        self.kept |= waiting

    def create(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the body of an answer."""
        try:
            asked = json.loads(body)
        except ValueError:
            return 400, {"message": "Invalid JSON"}
        if not isinstance(asked, list) or not asked:
            return 400, {"message": "Invalid request data"}
        errors = [why for one in asked if (why := self._take(one))]
        if errors:
            counts = {"accepted": len(asked) - len(errors), "rejected": len(errors)}
            return 207, {**counts, "errors": [{"message": why} for why in errors]}
        return 202, {"message": "Accepted"}

    def delete(self, path: str) -> tuple[int, dict[str, Any]]:
        identity = unquote(path.removeprefix(f"{SCORES}/"))
        self.deleted.append(identity)
        if self.kept.pop(identity, None) is None:
            return 404, {"message": "Score not found"}
        return 202, {"message": "Score deletion queued successfully"}

    def _take(self, score: Any) -> str | None:
        if not isinstance(score, dict) or set(score) - _FIELDS:
            return "unknown fields"
        if None in score.values():
            return "a field that is not told is left out"
        if not isinstance(score.get("name"), str) or not score["name"]:
            return "no name"
        subjects = [one for one in ("traceId", "sessionId", "datasetRunId") if score.get(one)]
        if len(subjects) != 1:
            return "a score is of one trace, session or run of a dataset"
        if (why := _value(score)) is not None:
            return why
        if datetime.fromisoformat(score["timestamp"]).tzinfo is None:
            return "a timestamp has an offset"
        before = self.kept.get(score["id"])
        if before is not None and before["timestamp"] != score["timestamp"]:
            return "it has another timestamp than the one that it replaces"
        (self.kept if self.late is None else self.late)[score["id"]] = score
        self.taken += 1
        return None


def _value(score: dict[str, Any]) -> str | None:
    value, kind = score.get("value"), score.get("dataType", "NUMERIC")
    if kind == "NUMERIC" and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "a numeric score has a number"
    return "a boolean score is 1 or 0" if kind == "BOOLEAN" and value not in (0, 1) else None
