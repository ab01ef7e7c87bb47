"""A 403 is about what was sent only if it says so."""

import pytest

from cartrita.dialects.refused_content import names_content


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Your API key does not have permission to use the specified resource.", ""),
        ("You have insufficient permissions for this operation. Missing scopes: model.request", ""),
        ("Project `proj_1` does not have access to model `gpt-4o`", "model_not_found"),
        ("Country, region, or territory not supported", "unsupported_country_region_territory"),
        ("Key limit exceeded (total limit).", ""),
        ("Access denied due to Virtual Network/Firewall rules.", ""),
        ("Incorrect key provided", ""),
        ("Token expired", ""),
        ("Forbidden", ""),
        ("<html><head><title>403 Forbidden</title></head></html>", ""),
        ("", "insufficient_permissions"),
        ("", ""),
    ],
)
def test_the_credential_is_meant(message: str, code: str) -> None:
    assert not names_content(message, code)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Your input was flagged by moderation", ""),
        ('Your chosen model requires moderation and your input was flagged for "violence".', ""),
        ("Content violates usage guidelines. Team: 1, API key: ***", ""),
        ("Your team prohibits this topic: weapons", ""),
        ("This organization may not use the beta context-1m-2025-08-07.", ""),
        ("", "content_filter"),
    ],
)
def test_what_was_sent_is_meant(message: str, code: str) -> None:
    assert names_content(message, code)
