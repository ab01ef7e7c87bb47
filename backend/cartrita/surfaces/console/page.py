"""Serves the console page, which loads nothing and runs its inline script only."""

import hashlib
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from cartrita.surfaces.dependencies import ANONYMOUS

router = APIRouter(tags=["console"])

_PERMISSIONS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


@router.get("/", response_class=HTMLResponse, dependencies=ANONYMOUS)
async def get_page() -> HTMLResponse:
    """Sign in and chat."""
    html, policy = _page()
    return HTMLResponse(
        html, headers={"Content-Security-Policy": policy, "Permissions-Policy": _PERMISSIONS}
    )


@cache
def _page() -> tuple[str, str]:
    html = files("cartrita.surfaces.console").joinpath("page.html").read_text(encoding="utf-8")
    script, style = (_hash(html, tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return html, policy


def _hash(html: str, tag: str) -> str:
    inside = re.search(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    assert inside is not None
    return "sha256-" + b64encode(hashlib.sha256(inside[1].encode()).digest()).decode()
