"""The content blocks that a request may hold, each with its check."""

from typing import cast

from tests.harness.fake_provider import media
from tests.harness.fake_provider.anthropic_messages import errors
from tests.harness.fake_provider.anthropic_messages.json_checks import (
    Check,
    Json,
    anything,
    array,
    boolean,
    choice,
    nullable,
    number,
    record,
    string,
    table,
    tagged,
    text_or,
)

ID = "[a-zA-Z0-9_-]+"
IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
CACHE_CONTROL = nullable(
    tagged({"ephemeral": record({"type": anything}, {"ttl": choice("5m", "1h")})})
)
_TYPE: dict[str, Check] = {"type": anything}
_CACHED: dict[str, Check] = {"cache_control": CACHE_CONTROL}
_INDEX = number(0, whole=True)
_TITLED: dict[str, Check] = _TYPE | {
    "cited_text": string(),
    "document_index": _INDEX,
    "document_title": nullable(string()),
}
_FILE: dict[str, Check] = {"file_id": nullable(string())}
_CITATION = tagged(
    {
        "char_location": record(
            _TITLED | {"start_char_index": _INDEX, "end_char_index": _INDEX}, _FILE
        ),
        "page_location": record(
            _TITLED | {"start_page_number": number(1, whole=True), "end_page_number": _INDEX},
            _FILE,
        ),
        "content_block_location": record(
            _TITLED | {"start_block_index": _INDEX, "end_block_index": _INDEX}, _FILE
        ),
        "web_search_result_location": record(
            _TYPE
            | {
                "cited_text": string(),
                "encrypted_index": string(),
                "title": nullable(string()),
                "url": string(),
            }
        ),
        "search_result_location": record(
            _TYPE
            | {
                "cited_text": string(),
                "search_result_index": _INDEX,
                "source": string(),
                "start_block_index": _INDEX,
                "end_block_index": _INDEX,
                "title": nullable(string()),
            }
        ),
    }
)
_CITATIONS = record({}, {"enabled": boolean})


def _image_data(value: object, path: str) -> None:
    source = cast("Json", value)
    data = media.decoded(cast("str", source["data"]))
    if not data:
        raise errors.at(f"{path}.data", "Invalid base64 data")
    found, said = media.image_type(data), source["media_type"]
    if found is None:
        raise errors.AnthropicRefusal("Could not process image")
    if found != said:
        raise errors.at(
            f"{path}.data",
            f"The image was specified using the {said} media type, but the image appears to be a "
            f"{found} image",
        )


def _pdf_data(value: object, path: str) -> None:
    data = media.decoded(cast("str", cast("Json", value)["data"]))
    if not data:
        raise errors.at(f"{path}.data", "Invalid base64 data")
    if not media.is_pdf(data):
        raise errors.at(path.rpartition(".source")[0], "The PDF specified was not valid.")


def _all(*checks: Check) -> Check:
    def check(value: object, path: str) -> None:
        for each in checks:
            each(value, path)

    return check


_ADDRESSED: dict[str, Check] = {
    "url": record(_TYPE | {"url": string(pattern="https?://.+")}),
    "file": record(_TYPE | {"file_id": string()}),
}
IMAGE = record(
    _TYPE
    | {
        "source": tagged(
            _ADDRESSED
            | {
                "base64": _all(
                    record(_TYPE | {"media_type": choice(*IMAGES), "data": string()}), _image_data
                )
            }
        )
    },
    _CACHED,
)
TEXT = record(_TYPE | {"text": string()}, _CACHED | {"citations": nullable(array(_CITATION))})
_NESTED = array(tagged({"text": TEXT, "image": IMAGE}))
DOCUMENT = record(
    _TYPE
    | {
        "source": tagged(
            _ADDRESSED
            | {
                "base64": _all(
                    record(_TYPE | {"media_type": choice("application/pdf"), "data": string()}),
                    _pdf_data,
                ),
                "text": record(_TYPE | {"media_type": choice("text/plain"), "data": string()}),
                "content": record(_TYPE | {"content": text_or(_NESTED)}),
            }
        )
    },
    _CACHED
    | {
        "citations": nullable(_CITATIONS),
        "context": nullable(string()),
        "title": nullable(string(shortest=1, longest=500)),
    },
)
_SEARCH_RESULT = record(
    _TYPE
    | {
        "content": array(tagged({"text": TEXT}), at_least=1),
        "source": string(),
        "title": string(),
    },
    _CACHED | {"citations": _CITATIONS},
)
_TOOL_RESULT = record(
    _TYPE | {"tool_use_id": string(pattern=ID)},
    _CACHED
    | {
        "content": text_or(
            array(
                tagged(
                    {
                        "text": TEXT,
                        "image": IMAGE,
                        "document": DOCUMENT,
                        "search_result": _SEARCH_RESULT,
                    }
                )
            )
        ),
        "is_error": boolean,
    },
)
_TOOL_USE = record(
    _TYPE
    | {
        "id": string(pattern=ID),
        "name": string(shortest=1, longest=200),
        "input": table,
    },
    _CACHED | {"caller": tagged({"direct": record(_TYPE)})},
)
BLOCK = tagged(
    {
        "text": TEXT,
        "image": IMAGE,
        "document": DOCUMENT,
        "search_result": _SEARCH_RESULT,
        "thinking": record(_TYPE | {"thinking": string(), "signature": string()}),
        "redacted_thinking": record(_TYPE | {"data": string()}),
        "tool_use": _TOOL_USE,
        "tool_result": _TOOL_RESULT,
    }
)
