"""Prompts in the stand-in for Langfuse: `GET /api/public/v2/prompts/{name}`, as strict as it is."""

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PROMPTS = "/api/public/v2/prompts"


class Prompts:
    """The prompts of a project, in versions from 1 on; a label is at one of them."""

    def __init__(self) -> None:
        self.asked = 0
        self._versions: dict[str, list[Any]] = {}
        self._labels: dict[tuple[str, str], int] = {}
        self._raw: dict[str, bytes] = {}

    def add(self, name: str, prompt: Any, label: str | None = "production") -> int:
        """A new version: a text, or the messages of a chat."""
        versions = self._versions.setdefault(name, [])
        versions.append(prompt)
        if label is not None:
            self.move(name, label, len(versions))
        return len(versions)

    def move(self, name: str, label: str, version: int) -> None:
        """Put a label on another version."""
        self._labels[name, label] = version

    def answer(self, name: str, raw: bytes | None) -> None:
        """Answer these octets for a prompt from now on, or the prompt again for None."""
        if raw is None:
            self._raw.pop(name, None)
        else:
            self._raw[name] = raw

    def get(self, path: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        self.asked += 1
        parts = urlsplit(path)
        name = unquote(parts.path.removeprefix(f"{PROMPTS}/"))
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
        if "/" in parts.path.removeprefix(f"{PROMPTS}/") or not name:
            return _told(404, "NotFoundError", "Not found")
        if {*query} - {"version", "label", "resolve"} or {"version", "label"} <= {*query}:
            return _told(400, "InvalidRequestError", "Cannot specify both version and label")
        if name in self._raw:
            return 200, self._raw[name]
        label = query.get("label", ["production"])[0]
        number = int(query["version"][0]) if "version" in query else self._labels.get((name, label))
        versions = self._versions.get(name, [])
        if number is None or not 0 < number <= len(versions):
            return _told(404, "LangfuseNotFoundError", f"Prompt not found: '{name}'")
        prompt = versions[number - 1]
        labels = [one for (named, one), at in self._labels.items() if (named, at) == (name, number)]
        return 200, json.dumps(
            {
                "id": f"prompt-{name}-{number}",
                "type": "text" if isinstance(prompt, str) else "chat",
                "name": name,
                "version": number,
                "prompt": prompt,
                "config": {},
                "labels": labels,
                "tags": [],
                "commitMessage": None,
                "resolutionGraph": None,
            }
        ).encode()


def _told(status: int, error: str, message: str) -> tuple[int, bytes]:
    return status, json.dumps({"error": error, "message": message}).encode()
