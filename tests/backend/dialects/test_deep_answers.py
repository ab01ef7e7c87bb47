"""An answer that is nested too deep is malformed in each dialect, as an event and as a whole."""

from collections.abc import Callable
from functools import partial

import pytest

from cartrita.dialects.anthropic_messages import stream_parsing as messages
from cartrita.dialects.openai_chat import stream_parsing as chat
from cartrita.dialects.openai_responses import stream_parsing as responses
from cartrita.domain.errors import UpstreamMalformed

DEEP = '{"a":' * 600 + "1" + "}" * 600
BLOCK = f'{{"type":"tool_use","id":"t","name":"f","input":{DEEP}}}'
MESSAGE = f'{{"type":"message","content":[{BLOCK}],"stop_reason":"tool_use"}}'
EVENT = f'{{"type":"content_block_start","index":0,"content_block":{BLOCK}}}'
CHUNK = f'{{"choices":[{{"index":0,"delta":{{"content":"a"}},"logprobs":{{"content":[{DEEP}]}}}}]}}'
ITEM = f'{{"type":"novel","a":{DEEP}}}'
RESPONSE = f'{{"id":"r","status":"completed","output":[{ITEM}]}}'
RESPONSE_EVENT = f'{{"type":"response.completed","response":{RESPONSE}}}'


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (messages.StreamParser("fake").feed, EVENT),
        (partial(messages.parse_completion, "fake"), MESSAGE),
        (chat.StreamParser("fake").feed, CHUNK),
        (partial(chat.parse_completion, "fake"), CHUNK),
        (responses.StreamParser("fake").feed, RESPONSE_EVENT),
        (partial(responses.parse_completion, "fake"), RESPONSE),
    ],
)
def test_a_deep_answer_is_malformed(parse: Callable[[bytes], object], data: str) -> None:
    with pytest.raises(UpstreamMalformed) as caught:
        parse(data.encode())
    assert "nested too deeply" in str(caught.value.details)
