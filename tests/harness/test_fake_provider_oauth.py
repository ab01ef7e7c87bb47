"""The fake provider gives out tokens for client credentials, and accepts nothing else."""

import base64
from collections.abc import Iterator
from urllib.parse import quote_plus, urlencode

import pytest
from tests.harness.fake_provider.client import Reply, ask, body, eventually
from tests.harness.fake_provider.faults import Html, ReplacedResponse
from tests.harness.fake_provider.launch import FakeProvider, fake_provider
from tests.harness.fake_provider.oauth.tokens import CLIENT_ID, CLIENT_SECRET, Terms
from tests.harness.fake_provider.script import Script

PATH = "/oauth/token"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def running() -> Iterator[FakeProvider]:
    with fake_provider(oauth=True) as fake:
        yield fake


@pytest.fixture
def fake(running: FakeProvider) -> FakeProvider:
    running.reset()
    running.token_terms(Terms())
    return running


def grant(
    fake: FakeProvider, fields: dict[str, str], headers: dict[str, str] | None = None
) -> Reply:
    form = urlencode({"grant_type": "client_credentials"} | fields).encode()
    return ask(fake, form, path=PATH, headers=FORM | (headers or {}))


def basic(secret: str = CLIENT_SECRET) -> dict[str, str]:
    pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(secret)}".encode()
    return {"authorization": f"Basic {base64.b64encode(pair).decode()}"}


def chat(fake: FakeProvider, token: str) -> int:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    return ask(fake, body(), headers=headers).status


def test_a_token_is_given_for_credentials_in_header_or_body(fake: FakeProvider) -> None:
    for reply in (grant(fake, {}, basic()), grant(fake, CLIENT | {"scope": "llm.read"})):
        granted = reply.json()
        assert (reply.status, granted["token_type"], granted["expires_in"]) == (200, "Bearer", 3600)
        assert chat(fake, granted["access_token"]) == 200
        headers = {
            "authorization": f"Bearer {granted['access_token']}",
            "anthropic-version": "2023-06-01",
            "content-type": "application/json",
        }
        message = body(max_tokens=5)
        assert ask(fake, message, path="/v1/messages", headers=headers).status == 200
    assert granted["scope"] == "llm.read"
    assert chat(fake, fake.key) == 401


def test_tokens_end_by_revocation_or_with_their_time(fake: FakeProvider) -> None:
    token = grant(fake, CLIENT).json()["access_token"]
    fake.revoke_tokens()
    assert chat(fake, token) == 401
    fake.token_terms(Terms(expires_in=0.2))
    short = grant(fake, CLIENT).json()["access_token"]
    eventually(lambda: chat(fake, short) == 401)
    fake.token_terms(Terms(expires_in=None))
    endless = grant(fake, CLIENT).json()
    assert "expires_in" not in endless
    assert chat(fake, endless["access_token"]) == 200


@pytest.mark.parametrize(
    ("fields", "headers", "status", "error"),
    [
        (CLIENT | {"client_secret": "x"}, {}, 401, "invalid_client"),
        ({}, {}, 401, "invalid_client"),
        ({}, basic("x"), 401, "invalid_client"),
        ({}, {"authorization": "Basic ?"}, 401, "invalid_client"),
        (CLIENT, basic(), 400, "invalid_request"),
        (CLIENT | {"scope": "llm.read admin"}, {}, 400, "invalid_scope"),
        (CLIENT | {"grant_type": "password"}, {}, 400, "unsupported_grant_type"),
        (CLIENT, {"content-type": "application/json"}, 400, "invalid_request"),
    ],
)
def test_wrong_requests_are_refused(
    fake: FakeProvider, fields: dict[str, str], headers: dict[str, str], status: int, error: str
) -> None:
    reply = grant(fake, fields, headers)
    assert (reply.status, reply.json()["error"]) == (status, error)


def test_the_endpoint_fails_on_request(fake: FakeProvider) -> None:
    fake.script(Script(faults=(ReplacedResponse(status=503),)), path=PATH)
    fake.script(Script(faults=(Html(),)), path=PATH)
    fake.script(Script(before_headers_s=0.05), path=PATH)
    down, page, slow = (grant(fake, CLIENT) for _ in range(3))
    assert (down.status, down.json()["error"]) == (503, "temporarily_unavailable")
    assert page.headers["content-type"].startswith("text/html")
    assert slow.json()["access_token"]
    last = fake.requests()[-1]
    assert last.headers_at is not None
    assert last.headers_at - last.received_at >= 0.05


def test_without_oauth_there_is_no_such_endpoint() -> None:
    with fake_provider() as plain:
        assert grant(plain, CLIENT).status == 404
        with pytest.raises(ValueError, match="without --oauth"):
            plain.revoke_tokens()
