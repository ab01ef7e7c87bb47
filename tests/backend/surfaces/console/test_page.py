"""The page and its files over HTTP: what it may load, who may load it, and for how long."""

import pytest
from starlette.testclient import TestClient

from cartrita.app import create_app
from cartrita.surfaces.console.built_files import built_files
from cartrita.surfaces.services import SurfaceConfig

SCRIPT = next(name for name in built_files() if name.endswith(".js"))
STYLE = next(name for name in built_files() if name.endswith(".css"))


@pytest.fixture
def client() -> TestClient:
    return TestClient(create_app(SurfaceConfig()), base_url="http://cartrita.test:8000")


def directives(client: TestClient, host: str | None = None) -> dict[str, str]:
    headers = {} if host is None else {"Host": host}
    policy = client.get("/", headers=headers).headers["content-security-policy"]
    parts = (part.strip().partition(" ") for part in policy.split(";"))
    return {name: sources for name, _, sources in parts}


def test_the_policy_names_the_folder_of_the_files(client: TestClient) -> None:
    policy = directives(client)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "cartrita.test:8000/assets/"
    assert policy["img-src"] == "cartrita.test:8000/assets/ cartrita.test:8000/api/files/"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in str(policy)


def test_the_page_may_hear_and_not_see(client: TestClient) -> None:
    permissions = client.get("/").headers["permissions-policy"].split(", ")
    assert "microphone=(self)" in permissions
    assert "camera=()" in permissions


@pytest.mark.parametrize("host", ["[::1]:8000", "x; script-src *", "a b", "x'unsafe-inline'"])
def test_a_host_that_no_policy_can_name_is_not_in_it(client: TestClient, host: str) -> None:
    policy = directives(client, host)
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert host not in str(policy)


def test_the_page_is_asked_for_anew_and_its_files_never(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in client.get(f"/assets/{SCRIPT}").headers["cache-control"]
    for path in ("/", f"/assets/{STYLE}"):
        first = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"]
        other = client.get(path, headers={"If-None-Match": '"x"'})
        assert other.status_code == 200


@pytest.mark.parametrize("path", ["/", f"/assets/{SCRIPT}"])
def test_who_watches_a_site_asks_for_heads(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-length", "content-type", "content-encoding", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("coding", ["br", "gzip", "identity"])
def test_each_coding_has_a_tag_of_its_own(client: TestClient, coding: str) -> None:
    with client.stream("GET", f"/assets/{SCRIPT}", headers={"Accept-Encoding": coding}) as answer:
        content = b"".join(answer.iter_raw())
    assert content == built_files()[SCRIPT].contents[coding]
    assert answer.headers.get("content-encoding", "identity") == coding
    assert answer.headers["etag"].endswith(f'-{coding}"')
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "destination", "status"),
    [
        (SCRIPT, "script", 200),
        (SCRIPT, "empty", 200),
        (SCRIPT, "audioworklet", 200),
        (STYLE, "audioworklet", 403),
        (SCRIPT, "serviceworker", 403),
        (SCRIPT, "worker", 403),
        (SCRIPT, "document", 403),
        (STYLE, "style", 200),
        (STYLE, "script", 403),
    ],
)
def test_a_file_is_for_what_it_is_made_for(
    client: TestClient, name: str, destination: str, status: int
) -> None:
    answer = client.get(f"/assets/{name}", headers={"Sec-Fetch-Dest": destination})
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "file_destination"


@pytest.mark.parametrize(
    "name", ["index.html", "nothing.js", "..%2Fpage.py", f"{SCRIPT}.br", "%00", "page.py"]
)
def test_there_are_no_other_files(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code in (404, 422)
