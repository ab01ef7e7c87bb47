"""Asks an agent by the official client of A2A: `python client.py BASE_URL KEY MESSAGE`.

It has an environment of its own: httpx and protobuf are none of the product's. A line of JSON for
each way to ask tells what came of it.
"""

import asyncio
import json
import sys
import uuid
from typing import Any

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types import a2a_pb2
from a2a.utils.errors import A2AError
from google.protobuf.json_format import MessageToDict


async def asked(client: Client, text: str) -> dict[str, Any]:
    """The kinds of events, the task in the end, and the names of the errors of two bad calls."""
    message = a2a_pb2.Message(
        message_id=uuid.uuid4().hex, role=a2a_pb2.ROLE_USER, parts=[a2a_pb2.Part(text=text)]
    )
    request = a2a_pb2.SendMessageRequest(message=message)
    events = [MessageToDict(event) async for event in client.send_message(request)]
    task = await client.get_task(a2a_pb2.GetTaskRequest(id=events[0]["task"]["id"]))
    return {
        "events": [kind for event in events for kind in event],
        "state": a2a_pb2.TaskState.Name(task.status.state),
        "text": "".join(part.text for each in task.artifacts for part in each.parts),
        "errors": [
            await error(client.cancel_task(a2a_pb2.CancelTaskRequest(id=task.id))),
            await error(client.get_task(a2a_pb2.GetTaskRequest(id="run_of_nobody"))),
        ],
    }


async def error(call: Any) -> str:
    try:
        await call
    except A2AError as error:
        return type(error).__name__
    return "none"


async def main(base: str, key: str, text: str) -> None:
    async with httpx.AsyncClient(headers={"X-API-Key": key}, timeout=30) as http:
        for path in ("", "/a2a/writer"):
            for streaming in (False, True):
                config = ClientConfig(streaming=streaming, httpx_client=http)
                client = await ClientFactory(config).create_from_url(base + path)
                told = await asked(client, text)
                sys.stdout.write(json.dumps({"agent": path, "streamed": streaming, **told}) + "\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
