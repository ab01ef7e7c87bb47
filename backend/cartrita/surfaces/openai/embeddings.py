"""`POST /v1/embeddings`: relayed to the provider of the model."""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.dialects.counted_bodies import CountMonitor
from cartrita.dialects.openai_chat import relay
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.errors import InvalidInput
from cartrita.domain.relays import Endpoint
from cartrita.gateway.answers import CacheWish, Call, Relayable
from cartrita.surfaces.disconnects import UntilDisconnect
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.services import services_of
from cartrita.surfaces.v1.call_answers import answer_headers, send_json
from cartrita.surfaces.v1.json_fields import parsed
from cartrita.surfaces.v1.relay_only import not_relayed
from cartrita.surfaces.v1.request_reading import call_options, headers_passed_on, read_body

SURFACE: Final = "openai_embeddings"


async def post_embeddings(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Answer an embeddings request."""
    principal, octets = await read_body(connection, receive)
    body = RelayedBody.of(octets)
    model = parsed(body, "model")
    if not isinstance(model, str) or not model:
        message = "you must provide a model parameter"
        raise InvalidInput(message, fields={"model": [message]})

    def rewrite(name: str) -> bytes:
        return relay.rewrite(body, model=name)

    call = Call(
        owner_id=principal.owner_id,
        key_id=principal.key_id,
        surface=SURFACE,
        name=model,
        parse=not_relayed,
        streamed=False,
        strict=call_options(connection).strict,
        relay=Relayable(
            endpoint=Endpoint.EMBEDDINGS,
            rewrite=rewrite,
            monitor=CountMonitor,
            headers=headers_passed_on(connection),
        ),
        cache=CacheWish(0),
        relay_only=True,
    )
    completions = services_of(connection).completions
    async with UntilDisconnect(receive), completions.open(call) as answer:
        headers = answer_headers(answer)
        pieces = [item async for item in answer.items if isinstance(item, bytes)]
    await send_json(send, b"".join(pieces), headers)


HOT_PATH = HotPath(
    method="POST",
    path="/v1/embeddings",
    name="create_embedding",
    tag="openai",
    handler=post_embeddings,
    description=(
        "Embed texts, by a model whose provider speaks OpenAI's API.\n\n"
        "The request and the answer are relayed as they are, `encoding_format` included."
    ),
    request="As at OpenAI (https://platform.openai.com/docs/api-reference/embeddings/create).",
    response="A `list` of embeddings, as at OpenAI.",
    fields={
        "model": {"type": "string"},
        "input": {"type": ["string", "array"]},
        "encoding_format": {"enum": ["float", "base64"]},
        "dimensions": {"type": "integer", "minimum": 1},
    },
    required=("model", "input"),
)
