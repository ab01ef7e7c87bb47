"""What the TypeScript client was answered, held against the contract."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from tests.laws.tree import ROOT

from cartrita.contract.model import Operation

OPENAPI: dict[str, Any] = json.loads((ROOT / "frontend-contract/openapi.json").read_text())


def is_of(operation: Operation, call: dict[str, Any]) -> bool:
    """Whether a request was one of this operation."""
    path = re.sub(r"\{\w+\}", "[^/]+", operation.path)
    asked = re.fullmatch(path, urlsplit(call["url"]).path)
    return bool(asked) and call["method"] == operation.method


def wrong_in(operation: Operation, call: dict[str, Any]) -> list[str]:
    """How an answer is not what the contract says."""
    described = OPENAPI["paths"][operation.path][operation.method.lower()]["responses"]
    content = described[str(call["status"])].get("content", {}).get("application/json")
    if content is None or call["body"] is None:
        return []
    schema = {**content["schema"], "components": OPENAPI["components"]}
    return [error.message for error in Draft202012Validator(schema).iter_errors(call["body"])]
