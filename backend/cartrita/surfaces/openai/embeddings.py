"""`POST /v1/embeddings`: relayed to the provider of the model."""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Receive, Send

from cartrita.dialects.openai_chat import relay
from cartrita.dialects.openai_refusals import missing_model
from cartrita.dialects.relayed_bodies import RelayedBody
from cartrita.domain.relays import Endpoint
from cartrita.domain.scopes import Operation
from cartrita.surfaces.hot_paths import HotPath
from cartrita.surfaces.v1.call_answers import send_json
from cartrita.surfaces.v1.relay_only import relay_only_call, relayed_body
from cartrita.surfaces.v1.request_reading import read_body

SURFACE: Final = "openai_embeddings"


async def post_embeddings(connection: HTTPConnection, receive: Receive, send: Send) -> None:
    """Answer an embeddings request."""
    principal, octets = await read_body(connection, receive)
    body = RelayedBody.of(octets)
    model = body.parsed("model")
    if not isinstance(model, str) or not model:
        raise missing_model()
    call = relay_only_call(
        connection,
        principal,
        surface=SURFACE,
        endpoint=Endpoint.EMBEDDINGS,
        model=model,
        rewrite=lambda name: relay.rewrite(body, model=name),
        size=len(octets),
        operation=Operation.EMBEDDINGS,
    )
    await send_json(send, *await relayed_body(connection, receive, call))


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
