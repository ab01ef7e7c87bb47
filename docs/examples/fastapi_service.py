"""A service of one's own before a Cartrita server: its key stays here, and pages need none.

Save it as `service.py`, set OPENAI_BASE_URL (with its `/v1`) and OPENAI_API_KEY, which the SDK
reads, and start it: `uvicorn service:app --port 8100`.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Literal, TypedDict

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from openai import APIConnectionError, APIStatusError, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from pydantic import BaseModel, Field


class State(TypedDict):
    ai: AsyncOpenAI


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
    """One client for all requests. It waits for nobody: its callers are told when to come back."""
    async with AsyncOpenAI(timeout=120, max_retries=0) as ai:
        yield {"ai": ai}


def client(request: Request) -> AsyncOpenAI:
    return request.state.ai


AI = Annotated[AsyncOpenAI, Depends(client)]
app = FastAPI(lifespan=lifespan)


class Turn(BaseModel):
    role: Literal["user", "assistant"]
    content: str

    def message(self) -> ChatCompletionMessageParam:
        if self.role == "user":
            return {"role": "user", "content": self.content}
        return {"role": "assistant", "content": self.content}


class ChatRequest(BaseModel):
    message: str = Field(min_length=1)
    model: str = "chat"
    context: list[Turn] = []

    def messages(self) -> list[ChatCompletionMessageParam]:
        turns = [*self.context, Turn(role="user", content=self.message)]
        return [each.message() for each in turns]


class CodeRequest(BaseModel):
    task: str = Field(min_length=1)
    language: str = "python"


@app.post("/api/chat")
async def chat(asked: ChatRequest, ai: AI) -> dict[str, str | None]:
    answer = await ai.chat.completions.create(model=asked.model, messages=asked.messages())
    return {"response": answer.choices[0].message.content, "model_used": answer.model}


@app.post("/api/chat/stream")
async def stream_chat(asked: ChatRequest, ai: AI) -> StreamingResponse:
    """The words as they come; what fails before the first one is still an error with a status."""
    stream = await ai.chat.completions.create(
        model=asked.model, messages=asked.messages(), stream=True
    )
    return StreamingResponse(words(stream), media_type="text/plain; charset=utf-8")


async def words(stream: AsyncStream[ChatCompletionChunk]) -> AsyncIterator[str]:
    """Closes the stream also when its reader has gone, so that nobody pays for the rest."""
    async with stream:
        async for chunk in stream:
            if chunk.choices and (delta := chunk.choices[0].delta.content):
                yield delta


@app.post("/api/code")
async def code(asked: CodeRequest, ai: AI) -> dict[str, str | None]:
    answer = await ai.chat.completions.create(
        model="code",
        messages=[
            {"role": "system", "content": f"You write clear, documented {asked.language}."},
            {"role": "user", "content": f"Write a function in {asked.language}: {asked.task}"},
        ],
        temperature=0.3,
    )
    return {"code": answer.choices[0].message.content, "language": asked.language}


@app.get("/api/models")
async def models(ai: AI) -> dict[str, list[str]]:
    return {"models": [model.id async for model in ai.models.list()]}


@app.exception_handler(APIStatusError)
async def tell(_: Request, error: APIStatusError) -> JSONResponse:
    """The server's own sentence and status, but for a refused key: that is ours to mend."""
    status = 502 if error.status_code in {401, 403} else error.status_code
    later = error.response.headers.get("retry-after")
    headers = {"retry-after": later} if later else None
    return JSONResponse({"detail": error.message, "code": error.code}, status, headers)


@app.exception_handler(APIConnectionError)
async def tell_it_is_away(_: Request, error: APIConnectionError) -> JSONResponse:
    return JSONResponse({"detail": "The AI server is away.", "code": "unavailable"}, 503)
