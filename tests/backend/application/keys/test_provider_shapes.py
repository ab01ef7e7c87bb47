"""What keys of providers look like, and to whom they are shown."""

import pytest

from cartrita.application.keys.provider_shapes import KeyShapes, may_be_provider_key

SHAPES = KeyShapes(
    {"openai": ("sk-",), "anthropic": ("sk-ant-", "ant-"), "comet": ("sk-",), "mine": ()}
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sk-1234",
        "sk-" + "x" * 4094,
        "sk-with space",
        "sk-é23456789",
        "sk-\t3456789",
        "ck_12345",
    ],
)
def test_what_is_no_key(text: str) -> None:
    assert not may_be_provider_key(text)
    assert SHAPES.provider_of(text, None) is None
    assert SHAPES.provider_of(text, "mine") is None


@pytest.mark.parametrize(
    ("key", "told", "provider"),
    [
        ("sk-12345", None, "openai"),
        ("sk-ant-1", None, "anthropic"),
        ("ant-1234", None, "anthropic"),
        ("12345678", None, None),
        ("SK-12345", None, None),
        ("sk-12345", "openai", "openai"),
        ("sk-12345", "comet", "comet"),
        ("sk-12345", "anthropic", None),
        ("sk-ant-1", "openai", None),
        ("sk-ant-1", "comet", None),
        ("12345678", "openai", None),
        ("12345678", "mine", "mine"),
        ("sk-ant-1", "mine", "mine"),
        ("sk-12345", "nobody", None),
    ],
)
def test_the_longest_prefix_tells_the_provider(
    key: str, told: str | None, provider: str | None
) -> None:
    assert SHAPES.provider_of(key, told) == provider


@pytest.mark.parametrize(
    ("key", "told", "provider"),
    [
        ("12345678", None, "mine"),
        ("12345678", "openai", None),
        ("sk-12345", None, "openai"),
        ("ck_12345", None, None),
    ],
)
def test_what_has_no_prefix_is_of_the_usual_provider(
    key: str, told: str | None, provider: str | None
) -> None:
    assert SHAPES.provider_of(key, told, "mine") == provider
    assert SHAPES.provider_of("12345678", None, "openai") is None, "its keys have a prefix"


def test_what_is_made_up_has_the_shape_and_is_new() -> None:
    for name in ("openai", "anthropic", "mine"):
        one, two = SHAPES.made_up(name).reveal(), SHAPES.made_up(name).reveal()
        assert one != two
        assert SHAPES.provider_of(one, name) == name


def test_without_providers_there_are_no_keys() -> None:
    assert KeyShapes({}).provider_of("sk-12345", None) is None
