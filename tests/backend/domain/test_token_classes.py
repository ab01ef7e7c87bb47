"""Every token is of one class, and of one only."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.backend.examples import examples

from cartrita.domain.token_classes import TokenClass, tokens_by_class
from cartrita.domain.usage import Usage

COUNTS = st.integers(0, 100)
USAGES = st.builds(
    Usage,
    input_tokens=COUNTS,
    output_tokens=COUNTS,
    cache_read_tokens=COUNTS,
    cache_write_tokens=COUNTS,
    cache_write_1h_tokens=COUNTS,
    reasoning_tokens=COUNTS,
    audio_input_tokens=COUNTS,
    image_input_tokens=COUNTS,
    audio_output_tokens=COUNTS,
    image_output_tokens=COUNTS,
)


def test_each_class_has_the_tokens_of_no_other() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cache_read_tokens=20,
        cache_write_tokens=15,
        cache_write_1h_tokens=5,
        reasoning_tokens=11,
        audio_input_tokens=10,
        image_input_tokens=6,
        audio_output_tokens=7,
        image_output_tokens=3,
    )
    assert tokens_by_class(usage) == {
        TokenClass.INPUT: 49,
        TokenClass.AUDIO_INPUT: 10,
        TokenClass.IMAGE_INPUT: 6,
        TokenClass.CACHE_READ: 20,
        TokenClass.CACHE_WRITE: 10,
        TokenClass.CACHE_WRITE_1H: 5,
        TokenClass.OUTPUT: 29,
        TokenClass.REASONING: 11,
        TokenClass.AUDIO_OUTPUT: 7,
        TokenClass.IMAGE_OUTPUT: 3,
    }


def test_a_class_without_tokens_is_not_there() -> None:
    assert tokens_by_class(Usage(0, 3)) == {TokenClass.OUTPUT: 3}
    assert tokens_by_class(Usage()) == {}


@examples
@given(USAGES)
def test_they_add_up_to_all_tokens_whatever_a_provider_says_of_parts(usage: Usage) -> None:
    cached = usage.cache_read_tokens + usage.cache_write_tokens
    whole = replace(usage, input_tokens=usage.input_tokens + cached)
    counts = tokens_by_class(whole)
    assert sum(counts.values()) == whole.total_tokens
    assert all(count > 0 for count in counts.values())
