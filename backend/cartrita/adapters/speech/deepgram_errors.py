"""Deepgram's errors: of responses in its three shapes, of refused handshakes and of close frames.

Source: developers.deepgram.com (errors; troubleshooting of WebSocket, NET and DATA errors).
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final, cast

from cartrita.adapters.http.web_sockets import HandshakeRefused, SocketClosed
from cartrita.dialects.upstream_errors import ErrorBody, create_error, wrong_address
from cartrita.domain.errors import (
    NotOffered,
    RecordingRefused,
    UpstreamCut,
    UpstreamError,
    UpstreamMalformed,
    UpstreamOverloaded,
    UpstreamRejected,
)
from cartrita.domain.json import JsonObject
from cartrita.domain.speech import TranscriptionOptions
from cartrita.kit import json_answers
from cartrita.kit.secret import Secret

NAME: Final = "deepgram"
_ADVICE: Final[Mapping[int, str]] = {
    400: "Check the recording, the model, the voice and the language.",
    402: "Add credit at console.deepgram.com, or use another provider.",
    403: "At console.deepgram.com a key is given its role, and a project its models.",
    413: "Send it in parts.",
    422: "Send the recording again.",
    429: "CARTRITA_PROVIDER_LIMITS keeps below the limit of the account.",
    504: "Send the recording in parts.",
}
_NO_SUCH: Final = "no such model/language"
"""Its words for a model that it does not have, or has in other languages."""
_CORRUPT: Final = "corrupt or unsupported data"
"""Its words for a recording that it cannot read."""
_GOING_AWAY: Final = (1000, 1001, 1012)
_UNANSWERED: Final = "keepalive ping timeout"
"""How we close a WebSocket whose other side answers no ping."""
_OURS: Final = (1002, 1003, 1007, 1008, 1009)
"""Codes of close frames that tell of what the client sent."""


def response_error(
    status: int, headers: Mapping[str, str], body: bytes, key: Secret
) -> UpstreamError:
    """The error of a response that is no success."""
    wrong = wrong_address(NAME, status, body)
    if wrong is not None:
        return wrong
    told = _told(headers, body, (key,) if key else ())
    error = create_error(NAME, status, told, label=str(status), status=status, headers=headers)
    advice = _ADVICE.get(status)
    if advice is not None:
        error.message = f"{error.message.rstrip('.')}. {advice}"
    return error


def handshake_error(refused: HandshakeRefused, key: Secret) -> UpstreamError:
    """The error of a response instead of a WebSocket."""
    if 200 <= refused.status < 300:
        return UpstreamMalformed(
            f"{NAME} answered without opening a WebSocket ({refused.status}). "
            "Check its base URL, and a proxy before it.",
            provider=NAME,
            status=refused.status,
        )
    return response_error(refused.status, refused.headers, refused.body, key)


def closed_error(closed: SocketClosed, key: Secret) -> UpstreamError:
    """The error of a WebSocket that ended before it should."""
    said = _masked(closed.reason, key)
    if closed.by_us and _UNANSWERED in said:
        return _silent(f"{NAME} did not answer for too long: start again.")
    if closed.by_us:
        return UpstreamMalformed(
            f"{NAME} sent what is no WebSocket{_quoted(said)}.",
            provider=NAME,
        )
    if closed.code is None:
        return UpstreamCut(f"{NAME} broke off the connection.", provider=NAME)
    label = f"close code {closed.code}"
    if "NET-0001" in said:
        return UpstreamCut(
            f"{NAME} got no audio for too long and closed the connection (NET-0001).",
            provider=NAME,
        )
    if closed.code in _OURS:
        return UpstreamRejected(
            f"{NAME} did not accept the audio or the text ({label}){_quoted(said)}.",
            provider=NAME,
        )
    if closed.code in _GOING_AWAY:
        return UpstreamCut(
            f"{NAME} closed the connection too early ({label}){_quoted(said)}.", provider=NAME
        )
    return UpstreamOverloaded(f"{NAME} failed ({label}){_quoted(said)}.", provider=NAME)


def frame_error(description: object, key: Secret) -> UpstreamError:
    """The error of an `Error` frame."""
    said = _masked(description, key)
    return UpstreamRejected(f"{NAME} did not accept the request{_quoted(said)}.", provider=NAME)


@contextmanager
def in_other_words(options: TranscriptionOptions) -> Generator[None]:
    """Raises NotOffered for a model or a language of these that Deepgram does not have.

    A recording that it cannot read is RecordingRefused.
    """
    try:
        yield
    except UpstreamRejected as error:
        said = error.words.lower() if error.status == 400 else ""
        if _CORRUPT in said:
            raise RecordingRefused.of(error) from None
        if _NO_SUCH not in said:
            raise
        field = "model" if options.language is None else "language"
        raise NotOffered.of(field, f"{NAME} does not have it: {error.words}") from None


def unheard(seconds: float) -> UpstreamCut:
    """It was sent live audio, and tells nothing of it."""
    return _silent(
        f"{NAME} told nothing for {seconds:g} s of the audio that it was sent: start again."
    )


def malformed(what: str) -> UpstreamMalformed:
    """It answered with something else."""
    return UpstreamMalformed(f"{NAME} answered with {what}.", provider=NAME)


def _silent(message: str) -> UpstreamCut:
    return UpstreamCut(message, provider=NAME, code="upstream_timeout")


def _told(headers: Mapping[str, str], body: bytes, secrets: tuple[Secret, ...]) -> ErrorBody:
    """What the body says in any of its shapes, or else the header of a refused handshake."""
    try:
        value = json_answers.read(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        text = body[:4096].decode("utf-8", "replace") if _is_text(headers, body) else ""
        return ErrorBody.masked(secrets, message=text or headers.get("dg-error", ""))
    fields = cast("JsonObject", value)
    message = fields.get("err_msg") or fields.get("message") or headers.get("dg-error")
    details = fields.get("details")
    if isinstance(message, str) and isinstance(details, str) and details:
        message = f"{message.rstrip('.')}. {details}"
    return ErrorBody.masked(
        secrets, message=message, code=fields.get("err_code") or fields.get("category")
    )


def _is_text(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" not in headers.get("content-type", "") and body.lstrip()[:1] != b"<"


def _masked(said: object, key: Secret) -> str:
    text = said if isinstance(said, str) else ""
    return ErrorBody.masked((key,) if key else (), message=text).message


def _quoted(said: str) -> str:
    return f": {said.rstrip('.')}" if said else ""
