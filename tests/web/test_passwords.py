"""Passwords of which the file holds a hash: the right ones are let in, and checking them delays no other request."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ovsnet.errors import ConfigError
from ovsnet.web.credentials import read_clients
from ovsnet.web.passwords import MOST_WAITING, Proofs, ScryptHash
from tests.patience import PATIENCE
from tests.web.conftest import Serve, Served

PAGE = Path(__file__).parents[2] / "docs/security.md"


def hashed(password: str, salt: bytes = b"salt") -> str:
    """As cheap as it can be had."""
    made = hashlib.scrypt(password.encode(), salt=salt, n=2, r=1, p=1, dklen=32)
    return "$scrypt$ln=1,r=1,p=1$" + "$".join(base64.b64encode(each).decode().rstrip("=") for each in (salt, made))


FILE = f"""
[operator]
user = "ovs"
password_scrypt = "{hashed("pass: word")}"

[other]
user = "other"
password_scrypt = "{hashed("secret", b"another")}"
paths = ["/metrics"]
"""


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def credentials(tmp_path: Path) -> str:
    path = tmp_path / "credentials.toml"
    path.write_text(FILE)
    return str(path)


class Slow:
    """A scrypt that takes until it is let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun = 0
        self.at_once = self.most_at_once = 0
        self.go = threading.Event()
        self._real = ScryptHash.fits
        monkeypatch.setattr(ScryptHash, "fits", lambda kept, password: self._fits(kept, password))

    def _fits(self, kept: ScryptHash, password: bytes) -> bool:
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        assert self.go.wait(PATIENCE)
        self.at_once -= 1
        return self._real(kept, password)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    monkeypatch.setattr("ovsnet.web.passwords.REST", 0.0)
    made = Slow(monkeypatch)
    yield made
    made.go.set()


async def status(served: Served, path: str, headers: dict[str, str]) -> int:
    return (await served.get(path, **headers))[0]


async def test_password_of_a_hash_lets_in_to_its_paths_and_nothing_else_does(serve: Serve, credentials: str) -> None:
    async with serve(credentials=credentials) as served:
        for user, password, path, wanted in (
            ("ovs", "pass: word", "/status", 200),
            ("ovs", "pass: word", "/readyz?require=ovsdb.echo", 503),
            ("other", "secret", "/metrics", 200),
            ("other", "secret", "/status", 401),
            ("other", "pass: word", "/metrics", 401),
            ("nobody", "pass: word", "/metrics", 401),
            ("ovs", "", "/metrics", 401),
            ("ovs", hashed("pass: word"), "/metrics", 401),
        ):
            assert await status(served, path, basic(user, password)) == wanted, (user, password, path)
        bearer = {"Authorization": "Bearer ovs:pass: word"}
        assert await status(served, "/metrics", bearer) == 401


async def test_right_password_costs_a_hash_once_and_wrong_ones_each_time(
    serve: Serve, credentials: str, slow: Slow
) -> None:
    slow.go.set()
    async with serve(credentials=credentials) as served:
        for _ in range(3):
            assert await status(served, "/metrics", basic("ovs", "pass: word")) == 200
        assert slow.begun == 1
        for user in ("ovs", "ovs", "nobody"):  # the time that it takes gives no name away
            assert await status(served, "/metrics", basic(user, "wrong")) == 401
        assert slow.begun == 4


async def test_hash_that_is_being_made_holds_up_no_probe_and_no_other_client(
    serve: Serve, credentials: str, slow: Slow
) -> None:
    async with serve(credentials=credentials) as served:
        asked = [asyncio.create_task(status(served, "/metrics", basic("ovs", "pass: word"))) for _ in range(3)]
        await until(lambda: slow.begun)
        assert await status(served, "/livez", {}) == 200
        assert await status(served, "/metrics", {}) == 401
        slow.go.set()
        assert await asyncio.gather(*asked) == [200, 200, 200]
        assert slow.begun == 1


async def test_who_tries_passwords_waits_in_a_short_line_and_makes_one_hash_at_a_time(
    serve: Serve, credentials: str, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients that hang up, too: a thread cannot be called off."""
    proofs = Proofs()
    monkeypatch.setattr("ovsnet.web.credentials.Proofs", lambda: proofs)
    async with serve(credentials=credentials) as served:
        wrong = [basic("ovs", f"wrong{number}") for number in range(MOST_WAITING)]
        asked = [asyncio.create_task(served.get("/metrics", **each)) for each in wrong]
        await until(lambda: len(proofs._under_way) == MOST_WAITING)
        for each in asked:
            each.cancel()
        answer = await served.get("/metrics", **basic("ovs", "one more"))
        assert (answer[0], answer[2]["Retry-After"]) == (429, "1")
        assert await status(served, "/livez?verbose", basic("ovs", "one more")) == 200
        slow.go.set()
        await until(lambda: slow.begun == MOST_WAITING and not proofs._under_way)
        assert await status(served, "/metrics", basic("ovs", "pass: word")) == 200
        assert slow.most_at_once == 1


async def test_next_hash_waits_after_a_wrong_password(
    serve: Serve, credentials: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await real(0)

    monkeypatch.setattr("ovsnet.web.passwords.REST", 1e6)
    async with serve(credentials=credentials) as served:
        monkeypatch.setattr("ovsnet.web.passwords.asyncio.sleep", sleep)
        for password in ("wrong", "pass: word"):
            await served.get("/metrics", **basic("ovs", password))
        monkeypatch.undo()
    before, after = [each for each in rests if each][-2:]
    assert before < 0 < after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("plain", "not of the form"),
        ("$scrypt$ln=14,r=8,p=5$$", "not of the form"),
        ("$scrypt$ln=0,r=8,p=5$c2FsdA$c2FsdA", "begin at 1"),
        ("$scrypt$ln=16,r=8,p=1$c2FsdA$" + "A" * 43, "costs more than"),
        ("$scrypt$ln=99,r=99999,p=99999$c2FsdA$" + "A" * 43, "costs more than"),
        ("$scrypt$ln=14,r=8,p=5$c2FsdA$c2FsdA", "shorter than 16 bytes"),
        ("$scrypt$ln=14,r=8,p=5$A$" + "A" * 43, "not Base64"),
    ],
)
def test_hash_that_cannot_be_used_is_refused_when_the_file_is_read(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(f'[a]\nuser = "x"\npassword_scrypt = "{text}"')
    with pytest.raises(ConfigError, match=why):
        read_clients(str(path))


def test_python_without_scrypt_is_told_when_the_file_is_read(monkeypatch: pytest.MonkeyPatch, credentials: str) -> None:
    """As under FIPS 140."""

    def refused(*args: Any, **named: Any) -> bytes:
        raise ValueError("unsupported")

    monkeypatch.setattr(hashlib, "scrypt", refused)
    with pytest.raises(ConfigError, match="has no scrypt: unsupported"):
        read_clients(credentials)


def test_what_the_page_has_people_type_makes_a_hash_of_their_password(tmp_path: Path) -> None:
    (program,) = re.findall(r"^python3 -c '(.+?)'$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    # Without a terminal it is read from its input, with a warning.
    argv = [sys.executable, "-W", "ignore", "-c", program]
    made = subprocess.run(
        argv, input="s3cret\n", capture_output=True, text=True, check=True, start_new_session=True
    ).stdout.split()[-1]
    path = tmp_path / "credentials.toml"
    path.write_text(f'[a]\nuser = "x"\npassword_scrypt = "{made}"')
    kept = ScryptHash.parse(read_clients(str(path))["a"].password_scrypt)
    assert (kept.fits(b"s3cret"), kept.fits(b"secret")) == (True, False)


async def until(fact: Any) -> None:
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110 - a thread tells no loop
            await asyncio.sleep(0.005)
