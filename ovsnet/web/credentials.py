"""Which clients may read more than a probe's yes or no.

The setting ``credentials`` names a TOML file with a table for each client, under any name:

    [prometheus]
    bearer = "a long random word"      # Authorization: Bearer (RFC 6750)
    paths = ["/metrics"]               # all paths, if this is missing

    [operator]
    user = "ovs"                       # Authorization: Basic (RFC 7617), which browsers ask their users for
    password_scrypt = "$scrypt$ln=14,r=8,p=5$…"  # or password, as it is; docs/security.md has what makes a hash

A client on a unix socket was let in by the mode of that socket, and one with a certificate that ``serve_client_ca`` has
signed by that: neither is asked for credentials, nor is any client at an address of ``open_at``.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import time
from collections.abc import Iterable

import msgspec
from aiohttp.web_request import BaseRequest

from ovsnet.config import Settings
from ovsnet.errors import AddressError, ConfigError
from ovsnet.files import MOST_DOCUMENT, read_bytes, signature
from ovsnet.io.http_address import HttpAddress
from ovsnet.web.passwords import Proofs, ScryptHash

log = logging.getLogger("ovsnet")

ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - compared with what was configured

AGAIN = 1.0
"""Seconds until a file that could not be read is tried again."""


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file."""

    bearer: str = ""
    user: str = ""
    password: str = ""
    password_scrypt: str = ""
    paths: tuple[str, ...] = ()

    def may_read(self, path: str) -> bool:
        """Whether its table allows this path, or one below it."""
        return not self.paths or any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in self.paths)

    def is_named_by(self, scheme: str, secret: str, proofs: Proofs) -> bool:
        """Whether a request carries its secret. The comparison takes the same time whatever is wrong."""
        if self.password_scrypt:
            user, password = _pair(secret)
            return scheme == "basic" and user == self.user and proofs.holds(self.password_scrypt, password)
        ours = self.bearer if scheme == "bearer" else f"{self.user}:{self.password}"
        named = bool(self.bearer) if scheme == "bearer" else bool(self.user)
        return hmac.compare_digest(ours.encode(), secret.encode("utf-8", "surrogateescape")) and named

    @property
    def wrong(self) -> str:
        """What its table lacks, or has too much of; "" where it is right."""
        words = (self.bearer, self.password, self.password_scrypt)
        if sum(map(bool, words)) != 1 or bool(self.bearer) == bool(self.user):
            return "needs either bearer, or user and one of password and password_scrypt."
        try:
            if self.password_scrypt:
                ScryptHash.parse(self.password_scrypt)
        except ValueError as error:
            return f"has a password_scrypt that cannot be used: {error}."
        return ""


def read_clients(path: str) -> dict[str, Client]:
    """The tables of the file. Raises ConfigError."""
    remedy = "See docs/security.md for its form."
    try:
        clients = msgspec.toml.decode(read_bytes(path, MOST_DOCUMENT), type=dict[str, Client])
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.", remedy=remedy) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a file of credentials: {error}.", remedy=remedy) from error
    for name, each in clients.items():
        if wrong := each.wrong:
            raise ConfigError(f"{path}: [{name}] {wrong}", remedy=remedy)
    return clients


class Credentials:
    """The clients of the file as it is now: each request checks whether it has changed, and reads it if so. While it
    cannot be read, no client is let in."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.credentials
        self._certificates = bool(settings.serve_client_ca)
        self._open_at = frozenset(_places(settings.open_at))
        self._seen: tuple[int, ...] | None = None
        self._refused: tuple[int, ...] | None = None
        self._again_at = 0.0
        self._proofs = Proofs()
        self._clients: dict[str, Client] = read_clients(self._path) if self._path else {}
        if self._path:
            self._seen = signature(self._path)

    @property
    def asked(self) -> bool:
        """Whether any client is asked for them."""
        return bool(self._path)

    async def prove(self, request: BaseRequest) -> bool:
        """Find out what ``allows`` has to know of a password whose hash the file holds. False where too many
        passwords are being looked at already."""
        scheme, secret = _presented(request.headers.get("Authorization", ""))
        if scheme != "basic" or not self._path or self._is_let_in(request.transport):
            return True
        self._refresh()
        hashed = [each for each in self._clients.values() if each.password_scrypt]
        user, password = _pair(secret)
        # One whom nobody knows takes as long as one with a wrong password: the time would give the names away.
        named = [each for each in hashed if each.user == user] or hashed[:1]
        return await self._proofs.prove([each.password_scrypt for each in named], password)

    def allows(self, request: BaseRequest) -> bool:
        """Whether it may read what this path says about the node."""
        if not self._path or self._is_let_in(request.transport):
            return True
        self._refresh()
        scheme, secret = _presented(request.headers.get("Authorization", ""))
        if not scheme:
            return False
        named = [each for each in self._clients.values() if each.is_named_by(scheme, secret, self._proofs)]
        return any(each.may_read(request.path) for each in named)

    def _is_let_in(self, transport: object) -> bool:
        if transport is None:
            return False
        ask = transport.get_extra_info  # type: ignore[attr-defined]
        name = ask("sockname")
        if isinstance(name, str | bytes):  # the path of a unix socket; empty for one that a service manager unlinked
            return True
        if self._certificates and ask("ssl_object") is not None:
            return True
        return isinstance(name, tuple) and any((host, name[1]) in self._open_at for host in (name[0], *ANY_HOST))

    def _refresh(self) -> None:
        now = signature(self._path)
        if now == self._seen or (now == self._refused and time.monotonic() < self._again_at):
            return
        try:
            self._clients = read_clients(self._path)
        except ConfigError as error:  # perhaps for lack of a descriptor: then the file is valid, and does not change
            self._clients, self._seen, self._refused = {}, None, now
            self._again_at = time.monotonic() + AGAIN
            log.warning("Nobody may read more than a probe's answer: %s", error)
        else:
            self._seen = now
            log.info("read %s: it lets %d clients in", self._path, len(self._clients))


def _presented(header: str) -> tuple[str, str]:
    """Scheme and secret; both empty for any other scheme."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return "bearer", rest.strip()
    if scheme.lower() != "basic":
        return "", ""
    try:
        return "basic", base64.b64decode(rest.strip(), validate=True).decode("utf-8", "surrogateescape")
    except (binascii.Error, ValueError):
        return "", ""


def _pair(secret: str) -> tuple[str, bytes]:
    """User and password (RFC 7617, section 2: a user has no colon)."""
    user, _, password = secret.partition(":")
    return user, password.encode("utf-8", "surrogateescape")


def _places(addresses: Iterable[str]) -> Iterable[tuple[str, int]]:
    for each in addresses:
        try:
            place = HttpAddress.parse(each)
        except AddressError as error:
            raise ConfigError(f"open_at: {error}", remedy=error.remedy) from error
        if place.scheme == "unix":
            raise ConfigError(f"open_at: {each} asks for no credentials.", remedy=f"Leave {each} out.")
        yield place.host, place.port
