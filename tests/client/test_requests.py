"""What leaves a client: addresses, keys, bodies, forms; and that no text shows a key."""

import io
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.client.strange_server import Reply, strange_server
from tests.harness.server import NOBODY

from cartrita_client import (
    AsyncCartritaApiClient,
    CartritaApiClient,
    CartritaError,
    UnusableAddress,
    models,
)
from cartrita_client.addresses import Address, fill
from cartrita_client.answers import value
from cartrita_client.calls import call_of
from cartrita_client.construction import settings_of
from cartrita_client.credentials import Keys
from cartrita_client.exchanges import Exchange
from cartrita_client.forms import Form
from cartrita_client.generated import table
from cartrita_client.operations import Call, Given, Operation
from cartrita_client.settings import Settings

CANARY = "ck_canary_0123456789"
OTHER = "sk-canary-9876543210"


def settings(**provider_keys: str) -> Settings:
    return settings_of(
        "http://127.0.0.1:8000/api/",
        CANARY,
        provider_keys,
        times=(1, 1, 1, 1),
        counts=(0, 0),
        delays=(1, 1),
        headers=None,
        verify=True,
    )


@pytest.mark.parametrize(
    ("base", "root", "socket"),
    [
        ("http://a:1", "http://a:1", "ws://a:1"),
        ("http://a:1/", "http://a:1", "ws://a:1"),
        ("https://a/api", "https://a", "wss://a"),
        (" https://a/cartrita/api/ ", "https://a/cartrita", "wss://a/cartrita"),
        ("http://[::1]:8000", "http://[::1]:8000", "ws://[::1]:8000"),
    ],
)
def test_a_base_url_may_end_in_api(base: str, root: str, socket: str) -> None:
    address = Address.of(base)
    assert address.url("/api/me") == f"{root}/api/me"
    assert address.socket("/ws/chat") == f"{socket}/ws/chat"


@pytest.mark.parametrize("client", [CartritaApiClient, AsyncCartritaApiClient])
@pytest.mark.parametrize(
    "base",
    [
        *("", "a", "/api", "localhost:8000", "127.0.0.1:8000", "ftp://a", "http://", "http://[::1"),
        *("http://a:x", "http://a:0", "http://u:p@a", "http://a?key=x", "http://a#x"),
    ],
)
def test_what_is_no_base_url(base: str, client: Any) -> None:
    with pytest.raises(UnusableAddress, match="base_url") as told:
        client(base)
    assert isinstance(told.value, ValueError)


@pytest.mark.parametrize(
    ("base", "own"),
    [
        ("http://127.0.0.1", True),
        ("http://localhost", True),
        ("http://[::1]", True),
        ("http://example.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_this_machine_is_asked_directly(base: str, own: bool) -> None:
    assert Address.of(base).is_loopback is own


@pytest.mark.parametrize("odd", ["a/b", "..", ".", "a?b", "a#b", "ä b", "%2e"])
def test_an_id_stays_one_segment(odd: str) -> None:
    path = fill("/api/runs/{run_id}/events", (odd,))
    assert path.count("/") == 4
    assert not set(path) & set("?# ")
    assert "/../" not in path
    assert "/./" not in path


def test_an_empty_id_is_none() -> None:
    with pytest.raises(UnusableAddress, match="empty"):
        CartritaApiClient().get_run("")


KEYS = Keys(CANARY, {"openai": "sk-o", "tavily": "tvly", "github": "ghp", "huggingface": "hf"})


@pytest.mark.parametrize(
    ("operation", "chosen", "key"),
    [
        (table.POST_CHAT, None, "sk-o"),
        (table.POST_CHAT, "huggingface", "hf"),
        (table.POST_CHAT, "anthropic", CANARY),
        (table.STREAM_CHAT, None, "sk-o"),
        (table.POST_HUGGINGFACE_CHAT, None, "hf"),
        (table.SEARCH, None, "tvly"),
        (table.SEARCH_GITHUB, None, "ghp"),
        (table.PROCESS_VOICE, None, CANARY),
        (table.GET_ME, None, CANARY),
    ],
)
def test_the_key_fits_the_operation(operation: Operation, chosen: str | None, key: str) -> None:
    assert KEYS.key_for(operation, chosen) == key


BROUGHT = Keys(None, {"openai": "sk-o", "anthropic": "sk-ant"})
ONE = Keys(None, {"anthropic": "sk-ant"})


@pytest.mark.parametrize(
    ("keys", "operation", "chosen", "key"),
    [
        (BROUGHT, table.SEARCH, None, None),
        (BROUGHT, table.SEARCH_GITHUB, None, None),
        (BROUGHT, table.PROCESS_VOICE, None, None),
        (BROUGHT, table.STREAM_CHAT, "huggingface", None),
        (BROUGHT, table.EXECUTE_COMPUTER_TASK, None, None),
        (BROUGHT, table.STREAM_CHAT, None, "sk-o"),
        (ONE, table.STREAM_CHAT, None, "sk-ant"),
        (ONE, table.RETRY_MESSAGE, None, "sk-ant"),
        (ONE, table.STREAM_CHAT, "openai", None),
        (ONE, table.GET_ME, None, "sk-ant"),
    ],
)
def test_no_other_provider_is_shown_a_providers_key(
    keys: Keys, operation: Operation, chosen: str | None, key: str | None
) -> None:
    assert keys.key_for(operation, chosen) == key


def test_an_answer_to_a_form_may_take_as_long_as_any() -> None:
    form = Form.of([], [("audio", b"abc")])
    given = settings_of(
        "http://a",
        CANARY,
        None,
        times=(30, 600, 10, 45),
        counts=(0, 0),
        delays=(1, 1),
        headers=None,
        verify=True,
    )
    spoken = Exchange(given, Call(table.PROCESS_VOICE, "/api/voice/process", form=form))
    assert (spoken.options()["timeout"].read, spoken.options()["timeout"].write) == (600, 45)
    stored = Exchange(given, Call(table.UPLOAD_FILE, "/api/upload", form=form))
    assert stored.options()["timeout"].read == 45
    hasty = Exchange(given, Call(table.PROCESS_VOICE, "/api/voice/process", form=form, timeout=5))
    assert hasty.options()["timeout"].read == 5


def test_without_a_key_of_the_server_a_providers_says_who_calls() -> None:
    assert Keys(None, {"tavily": "tvly", "openai": "sk-o"}).key_for(table.GET_ME) == "sk-o"
    assert Keys(None, {"tavily": "tvly"}).key_for(table.GET_ME) == "tvly"
    assert Keys(None, {}).key_for(table.GET_ME) is None


def test_the_field_provider_of_a_request_chooses_the_key() -> None:
    call = call_of(
        settings(anthropic=OTHER), table.POST_CHAT, Given(body={"provider": "anthropic"})
    )
    assert call.headers["X-API-Key"] == OTHER


def test_what_is_left_out_is_not_sent() -> None:
    earlier = models.EarlierMessage(role="user", content="Hello.")
    body = {"message": "ä", "model": None, "context": [earlier], "tools": []}
    call = call_of(settings(), table.POST_CHAT, Given(body=body))
    assert (
        call.body
        == '{"message":"ä","context":[{"role":"user","content":"Hello."}],"tools":[]}'.encode()
    )
    assert call.headers["Idempotency-Key"].startswith("client-")
    listed = call_of(settings(), table.LIST_CONVERSATIONS, Given(query={"limit": 3, "tag": None}))
    assert listed.query == (("limit", "3"),)
    assert "Idempotency-Key" not in listed.headers


def test_a_form_is_as_long_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / 'odd "name"\n.txt'
    path.write_bytes(b"x" * 700_000)
    opened = io.BytesIO(b"0123456789")
    opened.seek(4)
    told: list[tuple[int, int | None]] = []
    files = [("files", path), ("files", b"abc"), ("files", ("b.bin", opened))]
    form = Form.of(
        [("conversation_id", "ä")], files, lambda sent, whole: told.append((sent, whole))
    )
    first, second = b"".join(form.pieces()), b"".join(form.pieces())
    assert first == second
    assert form.repeatable
    assert len(first) == form.length
    assert told[-1] == (form.length, form.length)
    assert [sent for sent, _ in told[: len(told) // 2]] == sorted({sent for sent, _ in told})
    assert b'filename="odd %22name%22%0A.txt"' in first
    assert b"\r\n\r\n456789\r\n" in first


class Pipe(io.BytesIO):
    """What can be read once, as pipes and sockets are."""

    def tell(self) -> int:
        raise OSError("It has no place.")


def test_what_can_be_read_once_is_sent_once() -> None:
    form = Form.of([], [("file", Pipe(b"abcdef"))])
    assert (form.length, form.repeatable) == (None, False)
    assert b"\r\n\r\nabcdef\r\n" in b"".join(form.pieces())


def test_an_import_loads_neither_an_http_client_nor_models() -> None:
    code = (
        "import sys; from cartrita_client import AsyncCartritaApiClient, CartritaApiClient; "
        "CartritaApiClient(); AsyncCartritaApiClient(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "cartrita_client.client" in loaded
    assert loaded & {"httpx2", "pydantic", "websockets", "rich", "asyncio"} == set()


@pytest.mark.parametrize("key", ["ck_\nx", "ck_ä", "ck_\0"])
def test_what_is_no_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="characters") as told:
        CartritaApiClient(api_key=key)
    assert key not in str(told.value)


def test_neither_headers_nor_what_was_answered_are_in_a_text() -> None:
    given = settings_of(
        "http://a",
        None,
        None,
        times=(1, 1, 1, 1),
        counts=(0, 0),
        delays=(1, 1),
        headers={"Authorization": CANARY},
        verify=True,
    )
    assert CANARY not in repr(given)
    body = f'{{"key": {{"{CANARY}": 1}}, "id": ["{CANARY}"]}}'.encode()
    with pytest.raises(CartritaError) as told:
        value(table.CREATE_KEY, 200, {"content-type": "application/json"}, body)
    assert CANARY not in "".join(traceback.format_exception(told.value))


def _told_blocking(base: str, keys: Mapping[str, str]) -> list[str]:
    """What a client that blocks, its streams and its errors show of themselves."""
    with CartritaApiClient(base, CANARY, provider_keys=keys, retries=0, resumes=0) as client:
        texts = [repr(client), repr(client.stream_chat(message="a"))]
        for ask in (client.get_me, client.stream_chat(message="a").final):
            with pytest.raises(CartritaError) as told:
                ask()
            texts += _shown(told.value)
    return texts


async def _told(base: str, keys: Mapping[str, str]) -> list[str]:
    """The same of one that does not."""
    async with AsyncCartritaApiClient(base, CANARY, provider_keys=keys, retries=0) as client:
        with pytest.raises(CartritaError) as told:
            await client.get_me()
        return [repr(client), *_shown(told.value)]


def _shown(error: CartritaError) -> list[str]:
    return ["".join(traceback.format_exception(error)), repr(error)]


async def test_no_text_shows_a_key() -> None:
    provider_keys = {"openai": OTHER}
    texts = [repr(KEYS), repr(settings(openai=OTHER))]
    replies = [Reply(body=b"<p>", media_type="text/html"), Reply(500, b"{}"), Reply(cut=True)]
    for reply in replies:
        with strange_server(reply) as strange:
            for base in (strange.base, NOBODY):
                texts += [*_told_blocking(base, provider_keys), *await _told(base, provider_keys)]
    assert [text for text in texts if "canary" in text] == []
