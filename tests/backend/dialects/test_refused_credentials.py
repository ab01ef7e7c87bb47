"""A 403 is about the credential only if it says so."""

import pytest

from cartrita.dialects.refused_credentials import names_credential


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Your API key does not have permission to use the specified resource.", ""),
        ("You have insufficient permissions for this operation. Missing scopes: model.request", ""),
        ("Project `proj_1` does not have access to model `gpt-4o`", "model_not_found"),
        ("Country, region, or territory not supported", "unsupported_country_region_territory"),
        ("This organization has been disabled.", ""),
        ("Key limit exceeded (total limit).", ""),
        ("Access denied due to Virtual Network/Firewall rules.", ""),
        ("This token may not call the model", ""),
        ("", "insufficient_permissions"),
    ],
)
def test_the_credential_is_named(message: str, code: str) -> None:
    assert names_credential(message, code)


@pytest.mark.parametrize(
    "message",
    [
        "Your input was flagged by moderation",
        'Your chosen model requires moderation and your input was flagged for "violence".',
        "Content violates usage guidelines. Team: 1, API key: ***",
        "This organization may not use the beta context-1m-2025-08-07.",
        "Forbidden",
        "",
    ],
)
def test_what_a_caller_sent_may_be_the_reason(message: str) -> None:
    assert not names_credential(message, "")
