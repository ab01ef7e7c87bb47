"""The contract as a page: everything in it, nothing run, nothing loaded."""

import json
import re
from html import escape

from tests.harness.served_contract import OPENAPI

from cartrita.surfaces.native.docs_page import render_page


def test_every_operation_and_schema_is_on_the_page() -> None:
    page = render_page(json.dumps(OPENAPI))
    for path, methods in OPENAPI["paths"].items():
        for method, operation in methods.items():
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in page
            assert escape(operation["description"]) in page
    for name in OPENAPI["components"]["schemas"]:
        assert f'id="{name}"' in page


def test_every_link_leads_somewhere() -> None:
    page = render_page(json.dumps(OPENAPI))
    assert set(re.findall(r'href="#(\w+)"', page)) <= set(re.findall(r'id="(\w+)"', page))


def test_what_is_described_is_not_markup() -> None:
    document = json.loads(json.dumps(OPENAPI))
    document["info"]["description"] = "<script>x</script>"
    page = render_page(json.dumps(document))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
