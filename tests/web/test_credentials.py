"""Who may read more than a probe's answer."""

from __future__ import annotations

import asyncio
import base64
import errno
import os
from pathlib import Path

import aiohttp
import pytest

from ovsnet.errors import ConfigError
from ovsnet.sandbox.proc import free_ports
from ovsnet.web.credentials import read_clients
from ovsnet.web.endpoints import ENDPOINTS
from tests.web.conftest import Serve, Served

FILE = """
[prometheus]
bearer = "token-of-prometheus"
paths = ["/metrics"]

[operator]
user = "ovs"
password = "pass: word"
"""

PROMETHEUS = {"Authorization": "Bearer token-of-prometheus"}
OPERATOR = {"Authorization": "Basic " + base64.b64encode(b"ovs:pass: word").decode()}


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.toml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize("path", [each.path for each in ENDPOINTS.values() if not each.probe])
async def test_what_tells_of_the_node_asks_for_credentials(serve: Serve, credentials: Path, path: str) -> None:
    async with serve(credentials=str(credentials)) as served:
        status, body, headers = await served.get(f"{path}x" if path.endswith("/") and path != "/" else path)
        assert status == 401
        assert "credentials" in body
        assert headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", [each.path for each in ENDPOINTS.values() if each.probe])
async def test_probe_says_yes_or_no_to_everybody_and_why_to_those_with_credentials(
    serve: Serve, credentials: Path, path: str
) -> None:
    async with serve(credentials=str(credentials)) as served:
        assert (await served.get(f"{path}?verbose"))[1].startswith(("ok\n", "no: the reason is withheld. Credentials"))
        assert "Credentials" not in (await served.get(f"{path}?verbose", **OPERATOR))[1]
        served.agent.all_well()
        assert (await served.get(path))[0] == 200


@pytest.mark.parametrize("path", ["/readyz?require=ovsdb.echo", "/readyz?exclude=ovsdb.echo"])
async def test_single_check_is_asked_for_with_credentials(serve: Serve, credentials: Path, path: str) -> None:
    async with serve(credentials=str(credentials)) as served:
        served.agent.all_well()
        assert (await served.get(path))[0] == (await served.get(path, **PROMETHEUS))[0] == 403
        assert (await served.get(path, **OPERATOR))[:2] == (200, "ok\n")


async def test_client_reads_the_paths_of_its_table_alone(serve: Serve, credentials: Path) -> None:
    async with serve(credentials=str(credentials)) as served:
        asked = [(path, who) for path in ("/metrics", "/status") for who in (PROMETHEUS, OPERATOR)]
        assert [(await served.get(path, **who))[0] for path, who in asked] == [200, 200, 401, 200]


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer token-of-prometheus2",
        "Bearer :",
        "Basic !",
        "Basic " + base64.b64encode(b"ovs").decode(),
        "Basic " + base64.b64encode(b"ovs:").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Digest token-of-prometheus",
        "token-of-prometheus",
    ],
)
async def test_anything_else_lets_nobody_in(serve: Serve, credentials: Path, header: str) -> None:
    async with serve(credentials=str(credentials)) as served:
        assert (await served.get("/metrics", Authorization=header))[0] == 401


async def test_change_of_the_file_counts_at_once_and_a_broken_one_lets_nobody_in(
    serve: Serve, credentials: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def write(text: str) -> None:
        draft = credentials.with_name("draft")
        draft.write_text(text)
        os.replace(draft, credentials)

    async with serve(credentials=str(credentials)) as served:
        write(FILE.replace("token-of-prometheus", "the-next"))
        assert (await served.get("/metrics", **PROMETHEUS))[0] == 401
        assert (await served.get("/metrics", Authorization="Bearer the-next"))[0] == 200
        write("[prometheus")
        assert (await served.get("/metrics", Authorization="Bearer the-next"))[0] == 401
        assert "is not a file of credentials" in caplog.text
        os.unlink(credentials)
        assert (await served.get("/metrics", Authorization="Bearer the-next"))[0] == 401
        write(FILE)
        assert (await served.get("/metrics", **PROMETHEUS))[0] == 200


async def test_file_that_could_not_be_read_for_a_moment_is_read_again(
    serve: Serve, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As without a free descriptor: the file is as it was, and nobody touches it."""
    async with serve(credentials=str(credentials)) as served:
        os.utime(credentials)
        with monkeypatch.context() as out_of_descriptors:
            out_of_descriptors.setattr("ovsnet.web.credentials.read_bytes", none_left)
            assert (await served.get("/metrics", **PROMETHEUS))[0] == 401
        await until(served, 200)


async def until(served: Served, status: int) -> None:
    while (await served.get("/metrics", **PROMETHEUS))[0] != status:  # noqa: ASYNC110 - no news tells of a file
        await asyncio.sleep(0.05)


def none_left(path: str, most: int) -> bytes:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


async def test_unix_socket_was_let_in_by_its_mode(serve: Serve, credentials: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"

    async def connector() -> aiohttp.BaseConnector:
        return aiohttp.UnixConnector(str(path))

    async with (
        serve(f"unix:{path}", connector=connector, credentials=str(credentials)) as served,
        served.client.get("http://localhost/status") as response,
    ):
        assert response.status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_listener_may_stay_open_beside_one_that_asks(serve: Serve, credentials: Path, host: str) -> None:
    one, other = free_ports(2)
    listeners = (f"127.0.0.1:{one}", f"127.0.0.1:{other}")
    async with serve(*listeners, credentials=str(credentials), open_at=(f"{host}:{one}",)) as served:
        found = []
        for url in served.urls:
            async with served.client.get(f"{url}/status") as response:
                found.append(response.status)
        assert found == [200, 401]


@pytest.mark.parametrize(
    ("address", "remedy"),
    [("nonsense", "Write it as 127.0.0.1:10670."), ("unix:/run/ovsnet.sock", "Leave unix:/run/ovsnet.sock out.")],
)
async def test_what_cannot_stay_open_is_refused_with_a_remedy(
    serve: Serve, credentials: Path, address: str, remedy: str
) -> None:
    with pytest.raises(ConfigError, match=r"^open_at: ") as caught:
        async with serve(credentials=str(credentials), open_at=(address,)):
            pass
    assert caught.value.remedy == remedy


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[a]", "needs either"),
        ('[a]\nbearer = ""', "needs either"),
        ('[a]\nuser = "x"', "needs either"),
        ('[a]\nbearer = "x"\nuser = "y"\npassword = "z"', "needs either"),
        ('[a]\nbaerer = "x"', "unknown field"),
        ("a = 1", "not a file of credentials"),
        ("\xff", "not a file of credentials"),
    ],
)
def test_file_that_says_too_little_or_too_much_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "credentials.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=why):
        read_clients(str(path))


def test_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_clients(str(tmp_path / "none"))
