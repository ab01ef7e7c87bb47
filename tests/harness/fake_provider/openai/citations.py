"""Citations as OpenAI annotates them: a page of the web, or a file."""

from tests.harness.fake_provider.script import Citation

Json = dict[str, object]


def of_response(citation: Citation) -> Json:
    if citation.url is None:
        return {
            "type": "file_citation",
            "file_id": f"file-{citation.document}",
            "filename": citation.title,
            "index": citation.end,
        }
    return {"type": "url_citation", **_page(citation)}


def of_chat(citation: Citation) -> Json:
    """Chat completions know pages only; a file becomes one."""
    return {"type": "url_citation", "url_citation": _page(citation)}


def _page(citation: Citation) -> Json:
    return {
        "start_index": citation.start,
        "end_index": citation.end,
        "title": citation.title,
        "url": citation.url or f"file-{citation.document}",
    }
