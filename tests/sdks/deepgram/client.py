"""Speaks with a Deepgram by its official client: `python client.py PART BASE_URL KEY WAV PCM`.

The part is `answers` or `refusals`. It has an environment of its own: httpx and the older half of
websockets are none of the product's. Everything that comes back is checked against the client's own
types, which it does not do itself. A line of JSON for each part tells what came of it; `extra` are
fields that its types do not have.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text
from deepgram.types import ErrorResponseLegacyError, ErrorResponseModernError
from pydantic import BaseModel

RECORDED = {"smart_format": True, "punctuate": True, "utterances": True}
VOICE = {"model": "aura-2-thalia-en", "encoding": "linear16"}


def tell(part: str, **what: Any) -> None:
    sys.stdout.write(json.dumps({"part": part, **what}) + "\n")


def checked(value: BaseModel) -> list[str]:
    """The fields that its type does not have. Raises ValidationError for what is wrong in it."""
    whole = type(value).model_validate(value.model_dump(by_alias=True, exclude_unset=True))
    return sorted(set(extra_of(whole, type(value).__name__)))


def extra_of(value: Any, where: str) -> Iterator[str]:
    if isinstance(value, BaseModel):
        yield from (f"{where}.{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from extra_of(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, list):
        for one in value:
            yield from extra_of(one, where)


async def record(client: AsyncDeepgramClient, wav: bytes) -> None:
    for asked in ({"detect_language": True}, {"language": "en", "keyterm": ["moss", "lichen"]}):
        found = await client.listen.v1.media.transcribe_file(
            request=wav, model="nova-3", **RECORDED, **asked
        )
        best = found.results.channels[0].alternatives[0]
        tell("recorded", text=best.transcript, words=len(best.words), extra=checked(found))


async def listen(client: AsyncDeepgramClient, pcm: bytes) -> None:
    async with client.listen.v1.connect(
        model="nova-3",
        smart_format="true",
        punctuate="true",
        language="multi",
        encoding="linear16",
        sample_rate="16000",
        channels="1",
        interim_results="true",
        endpointing="300",
        utterance_end_ms="1000",
        vad_events="true",
    ) as socket:
        await socket.send_keep_alive()
        for at in range(0, len(pcm), 3200):
            await socket.send_media(pcm[at : at + 3200])
        await socket.send_finalize()
        await socket.send_close_stream()
        frames = [frame async for frame in socket]
    for frame in frames:
        told: dict[str, Any] = {"type": frame.type, "extra": checked(frame)}
        if frame.type == "Results":
            told["text"] = frame.channel.alternatives[0].transcript
            told |= {"final": frame.is_final, "ended": frame.speech_final}
        tell("live", kind=type(frame).__name__, **told)


async def speak(client: AsyncDeepgramClient) -> None:
    for options in (
        {"encoding": "mp3"},
        {"encoding": "opus", "container": "ogg"},
        {"encoding": "flac"},
        {"encoding": "aac"},
        {"encoding": "linear16", "container": "wav", "sample_rate": 24000},
        {"encoding": "linear16", "container": "none", "sample_rate": 24000},
    ):
        pieces = client.speak.v1.audio.generate(
            text="Moss grows.", model="aura-2-thalia-en", **options
        )
        audio = b"".join([piece async for piece in pieces])
        tell("spoken", encoding=options["encoding"], magic=audio[:4].hex(), bytes=len(audio))


async def talk(client: AsyncDeepgramClient) -> None:
    async with client.speak.v1.connect(**VOICE, sample_rate="24000") as socket:
        for text in ("Moss grows.", "Softly."):
            await socket.send_text(SpeakV1Text(text=text))
            await socket.send_flush()
        frames: list[Any] = []
        async for frame in socket:
            frames.append(frame)
            ended = getattr(frame, "type", "")
            if ended == "Flushed" and len(frames) > 5:
                await socket.send_text(SpeakV1Text(text="And so on."))
                await socket.send_clear()
            elif ended == "Cleared":
                await socket.send_close()
    for frame in frames:
        if isinstance(frame, bytes):
            tell("talk", type="audio", bytes=len(frame))
        else:
            tell("talk", type=frame.type, kind=type(frame).__name__, extra=checked(frame))


async def refusals(client: AsyncDeepgramClient, wav: bytes) -> None:
    """The shapes of errors, in their order as the test has told the server to give them."""
    for kind in (ErrorResponseLegacyError, ErrorResponseModernError, str):
        try:
            await client.listen.v1.media.transcribe_file(
                request=wav, model="nova-3", request_options={"max_retries": 0}
            )
        except ApiError as error:
            extra = []
            if kind is not str:
                extra = checked(kind.model_validate(error.body))
            told = isinstance(error.body, str) is (kind is str)
            tell("refused", status=error.status_code, shape=kind.__name__, told=told, extra=extra)
    for connecting in (
        client.listen.v1.connect(model="nova-3", encoding="linear16", sample_rate="16000"),
        client.speak.v1.connect(**VOICE),
    ):
        try:
            async with connecting:
                pass
        except ApiError as error:
            tell("refused", status=error.status_code, shape="handshake", told=True, extra=[])


async def main(part: str, base_url: str, key: str, wav: bytes, pcm: bytes) -> None:
    sockets = base_url.replace("http", "ws", 1)
    client = AsyncDeepgramClient(
        api_key=key,
        environment=DeepgramClientEnvironment(
            base=base_url, production=sockets, agent=sockets, agent_rest=base_url
        ),
    )
    if part == "refusals":
        await refusals(client, wav)
        return
    await record(client, wav)
    await listen(client, pcm)
    await speak(client)
    await talk(client)
    projects = await client.manage.v1.projects.list()
    tell("projects", count=len(projects.projects), extra=checked(projects))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], *(Path(path).read_bytes() for path in sys.argv[4:])))
