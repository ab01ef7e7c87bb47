"""Operations that clients have already, and that a later version of the server will serve.

Frontends were promised their methods, so both clients have them; until the routes come, they are
answered with the error of what is not found. They are in no `openapi.json`, which describes what is
served; once they are, they leave this table.
"""

from typing import Any, Final, TypeAlias

Schema: TypeAlias = dict[str, Any]


PATHS: Final[dict[str, dict[str, Schema]]] = {}
_SCHEMAS: Final[dict[str, Schema]] = {}


def with_announced(document: Schema) -> Schema:
    """The document with what is announced, but for what it serves already."""
    coming = {path: methods for path, methods in PATHS.items() if path not in document["paths"]}
    components = document["components"]
    schemas = {**(_SCHEMAS if coming else {}), **components["schemas"]}
    return {
        **document,
        "paths": {**document["paths"], **coming},
        "components": {**components, "schemas": schemas},
    }
