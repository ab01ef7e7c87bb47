"""What is masked: keys of vendors and what names tell of, however they are written down."""

import json
import random
import string
import subprocess
import sys
from urllib.parse import quote

import pytest

from cartrita.kit.masking import masked

_SEED = 20261201
_WATCHDOG_S = 60
"""Of what takes a tenth of a second, and would take hours if its time grew by the square."""

_WRITTEN = {
    "in a sentence": "look {} end",
    "after an escaped line break": r'{{"a":"x\n{}\ny"}}',
    "in JSON within JSON": r"\"k\":\"\u003d{}\"",
    "after a percent sign": "k%3D{}%26",
    "after a hexadecimal escape": r"k\x3d{}",
    "after a name": "KEY_{}",
    "in quotes": "'{}'",
}
_BEGINNINGS = (
    *("sk-proj-", "sk-ant-api03-", "hf_", "ghp_", "ghr_", "gho_", "github_pat_", "glpat-", "tvly-"),
    *("gsk_", "xai-", "xoxb-", "xapp-1-", "AIza", "ya29.", "AKIA", "ASIA", "sk_live_", "rk_live_"),
    *(
        "ck_",
        "sk-lf-",
        "pk-lf-",
        "npm_",
        "pypi-",
        "pplx-",
        "nvapi-",
        "r8_",
        "SG.abcdefghijklmnopqr.",
        "BSA",
        "sk_",
    ),
    "eyJ",
)
_NAMED = (
    *("password={}", '{{"password": "{}"}}', r"{{\"password\": \"{}\"}}", "DEEPGRAM_API_KEY={}"),
    *("x-api-key: {}", "Authorization: Basic {}", "AccountKey={}", "Cookie: session={}"),
    *(
        "Cookie: theme=dark; session={}",
        "Set-Cookie: a=1; Path=/; sid={}",
        "Cookie: a=1; b={}; c=2",
    ),
    *("postgres://bob:{}@db/x", "postgres://bob:p@{}@db/x", "postgres://bob:p/{}@db/x"),
    *("Bearer {}", "https://example.org/?code={}", "api_key%22: %22{}%22"),
    *("password=ab,{}", "'password': 'correct horse {}'", "password: ab&{}", "refresh_token={}"),
    *('"token": "{}"', r"{{\"token\": \"{}\"}}", "private_key: {}", "passphrase is: passphrase={}"),
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{}\n-----END PGP PRIVATE KEY BLOCK-----",
    "-----BEGIN EC PRIVATE KEY-----\\n{}",
)


@pytest.fixture(scope="module")
def secret() -> str:
    letters = random.Random(_SEED)
    return "".join(letters.choice(string.ascii_letters + string.digits) for _ in range(40))


@pytest.mark.parametrize("written", _WRITTEN.values(), ids=[*_WRITTEN])
@pytest.mark.parametrize("beginning", _BEGINNINGS)
def test_a_vendor_s_key_is_masked(beginning: str, written: str, secret: str) -> None:
    told = masked(written.format(beginning + secret))
    assert secret[-8:] not in told
    assert "***" in told


@pytest.mark.parametrize("named", _NAMED)
def test_what_a_name_tells_of_is_masked(named: str, secret: str) -> None:
    assert secret[-8:] not in masked(named.format(secret))


def test_it_is_masked_in_encodings_of_whole_texts(secret: str) -> None:
    text = f'{{"q": "sk-proj-{secret}"}}'
    assert secret not in masked(json.dumps(text))
    assert secret not in masked(json.dumps(json.dumps(text)))
    assert secret not in masked(quote(text, safe=""))


@pytest.mark.parametrize(
    "prose",
    [
        "A task-oriented, risk-free plan for the disk-based desk-top.",
        "Basic understanding is a token of respect; the key to it is patience.",
        "See https://example.org/a/b and write to bob@example.org.",
        "def tokenise(text): return text.split()",
        "The sk_buff of a socket, sg.org and pk-fire; AKIAs and eyJa.",
        "a cookie: it is baked",
        "hf_doc_search and hf_hub_download, npm_install_package, pplx-embed-v1-4b, xai-grok-mini",
        "pplx-70b-online, BSAbstractClass, SG.something_else, pypi-publish-action, r8_model_list",
        "http://localhost:8000/users/alice@example.com and http://registry:5000/app@sha256:0123",
    ],
)
def test_prose_and_code_stay_as_they_are(prose: str) -> None:
    assert masked(prose) == prose


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "eyJ-",
            "eyJ",
            "sk-",
            "_sk-a",
            "sk_a",
            "AIza",
            "password=",
            "password: ",
            "password\"'\\",
        ),
        *("://", "://a:", "://u:p@", "?", "?a=", "Bearer ", "secret=Bearer ", "api_key", "\\n"),
        *("-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "Basic     "),
    ],
)
def test_no_text_takes_long(piece: str) -> None:
    """Whatever callers write is masked where all others wait for it."""
    program = f"from cartrita.kit.masking import masked; masked({piece!r} * 100_000)"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=_WATCHDOG_S)
