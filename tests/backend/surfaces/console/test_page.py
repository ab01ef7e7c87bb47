"""The page runs its own script only, and nothing of it comes from elsewhere."""

import hashlib
import re
from base64 import b64encode

from cartrita.surfaces.console.page import get_page


async def test_the_policy_names_this_script_and_this_style() -> None:
    page = await get_page()
    html = bytes(page.body).decode()
    policy = page.headers["content-security-policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"


async def test_nothing_is_loaded_or_evaluated() -> None:
    html = bytes((await get_page()).body).decode()
    assert not re.search(r"""(src|href)\s*=|https?://|innerHTML|eval\(|\son\w+=["']""", html)
    assert "client_msg_id" in html
    assert len(html.splitlines()) < 120
