"""A caller's promise binds what is asked, and not how the answer travels."""

from cartrita.surfaces.idempotency import idempotency
from cartrita.surfaces.native.chat_requests import ChatRequest
from cartrita.surfaces.native.request_bodies import validated


def hashed(*places: str, **fields: object) -> bytes:
    promise = idempotency(
        "chat", "key", validated(ChatRequest, {"message": "a", **fields}), *places
    )
    assert promise is not None
    assert (promise.route, promise.key) == ("chat", "key")
    return promise.request_hash


def test_without_a_key_nothing_is_promised() -> None:
    assert idempotency("chat", None, None) is None


def test_the_same_request_is_the_same() -> None:
    assert hashed(conversation_id="c") == hashed(conversationId="c", unknown=1, tools=None)
    assert hashed() == hashed(stream=True)
    assert hashed(metadata={"a": 1, "b": 2}) == hashed(metadata={"b": 2, "a": 1})


def test_another_request_is_another() -> None:
    one = {
        hashed(),
        hashed(message="b"),
        hashed(conversation_id="c"),
        hashed("c"),
        hashed("c", "m"),
    }
    assert len(one) == 5
