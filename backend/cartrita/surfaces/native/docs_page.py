"""Serves openapi.json and an HTML page of it, which needs no script and no other site."""

import hashlib
import json
from base64 import b64encode
from functools import cache
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from cartrita.surfaces.dependencies import CurrentPrincipal

router = APIRouter(include_in_schema=False)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
summary { cursor: pointer; padding: .25rem 0; }
summary b { display: inline-block; min-width: 4.5rem; }
pre { background: #8882; padding: .75rem; overflow-x: auto; }
td { padding: .1rem 1rem .1rem 0; vertical-align: top; }
"""


@router.get("/openapi.json", name="get_openapi")
async def get_openapi(_: CurrentPrincipal, request: Request) -> JSONResponse:
    """The OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", name="get_docs")
async def get_docs(_: CurrentPrincipal, request: Request) -> HTMLResponse:
    """The OpenAPI document as an HTML page."""
    digest = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
    page = render_page(json.dumps(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


@cache
def render_page(document: str) -> str:
    """The HTML page of an OpenAPI document in JSON."""
    openapi: dict[str, Any] = json.loads(document)
    info = openapi["info"]
    operations = "\n".join(
        _operation(method.upper(), path, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "\n".join(
        f'<details id="{escape(name)}"><summary>{escape(name)}</summary>{_code(schema)}</details>'
        for name, schema in openapi["components"]["schemas"].items()
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}'
        f"</title><style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info['description'])}</p><h2>Operations</h2>{operations}"
        f"<h2>Schemas</h2>{schemas}</html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<tr><td><code>{escape(p['name'])}</code><td>{escape(p['in'])}"
        f"<td>{escape(p.get('description', ''))}"
        for p in operation.get("parameters", ())
    )
    answers = "".join(
        f"<tr><td>{escape(status)}<td>{escape(response['description'])}<td>{_types(response)}"
        for status, response in operation["responses"].items()
    )
    body = _types(operation["requestBody"]) if "requestBody" in operation else ""
    return (
        f"<details><summary><b>{method}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<p>{'Body: ' + body if body else ''}</p>"
        f"<table>{parameters}</table><table>{answers}</table></details>"
    )


def _types(holder: dict[str, Any]) -> str:
    return "; ".join(
        f"{escape(media_type)} {_link(content.get('schema', {}))}"
        for media_type, content in holder.get("content", {}).items()
    )


def _link(schema: dict[str, Any]) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return f'<a href="#{escape(name)}">{escape(name)}</a>' if name else ""


def _code(schema: dict[str, Any]) -> str:
    return f"<pre>{escape(json.dumps(schema, indent=2))}</pre>"
