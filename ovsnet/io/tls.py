"""The files that prove who we are, and who the peer is."""

from __future__ import annotations

import functools
import logging
import ssl
import time
from dataclasses import dataclass

import msgspec

from ovsnet.errors import ConfigError, OvsnetError
from ovsnet.files import require_document, signature
from ovsnet.io.nofile import require_descriptor

log = logging.getLogger("ovsnet")

LOOK_PERIOD = 1.0
"""Seconds between two looks at files that may have been renewed."""


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files for ``ssl:`` addresses: our private key, our certificate, and the CA that signed the peer's."""

    key: str
    certificate: str
    ca: str

    def context(self) -> ssl.SSLContext:
        """Raises ConfigError when a file cannot be used.

        The peer's certificate must come from the CA; its name is not compared, because OVN's are made for chassis and
        not for hosts. OVS does the same (stream-ssl.c sets SSL_VERIFY_PEER and checks no name).
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        try:
            for path in (self.key, self.certificate, self.ca):
                require_document(path)  # OpenSSL would wait for a FIFO's writer
            context.load_verify_locations(cafile=self.ca)
            # Without a password OpenSSL asks for it on the terminal.
            context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ValueError) as error:
            require_descriptor()
            raise ConfigError(
                f"The TLS files {self.key}, {self.certificate} and {self.ca} cannot be used: {error}.",
                remedy="Name a PEM key without a password, its certificate and the CA, all readable by this user.",
            ) from error
        return context


class HeldTls(Tls):
    """The same for many connections: the files are read once, as OVS does (stream-ssl.c)."""

    @functools.cached_property
    def _held(self) -> ssl.SSLContext:
        return super().context()

    def context(self) -> ssl.SSLContext:
        return self._held


class ServingTls(msgspec.Struct, frozen=True):
    """PEM files for serving HTTPS: key, certificate, and the CA of the clients if they must show a certificate."""

    key: str
    certificate: str
    client_ca: str = ""

    def context(self) -> ssl.SSLContext:
        """Reads the files again. Raises ConfigError when one cannot be used."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            for path in filter(None, (self.key, self.certificate, self.client_ca)):
                require_document(path)
            context.load_cert_chain(self.certificate, self.key, password="")
            if self.client_ca:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(cafile=self.client_ca)
        except (OSError, ValueError) as error:
            require_descriptor()
            raise ConfigError(
                f"The files for serving HTTPS, {self.key}, {self.certificate} {self.client_ca}, "
                f"cannot be used: {error}.",
                remedy="Name a PEM key without a password and its certificate, readable by this user.",
            ) from error
        return context


class RenewedContext:
    """The context of files that are renewed now and then, as cert-manager and the kubelet do. They are looked at when a
    client comes. While new ones cannot be used, as between the writing of a key and of its certificate, the old ones
    are."""

    def __init__(self, tls: ServingTls) -> None:
        """Raises ConfigError when a file cannot be used."""
        self._tls = tls
        self._written = _written(tls)
        self._context = tls.context()
        self._looked_at = time.monotonic()
        self._told = ""

    def current(self) -> ssl.SSLContext:
        """The context of the files as they are now."""
        if time.monotonic() - self._looked_at >= LOOK_PERIOD:
            self._looked_at = time.monotonic()
            if (written := _written(self._tls)) != self._written:
                self._renew(written)
        return self._context

    def _renew(self, written: tuple[object, ...]) -> None:
        try:
            self._context = self._tls.context()
        except OvsnetError as error:
            if str(error) != self._told:
                log.warning("The old certificate stays in use: %s %s", error, error.remedy)
            self._told = str(error)
        else:
            self._written, self._told = written, ""
            log.info("read %s and %s again", self._tls.certificate, self._tls.key)


def _written(tls: ServingTls) -> tuple[object, ...]:
    """What changes when one of the files is replaced or written."""
    return tuple(signature(path) for path in (tls.key, tls.certificate, tls.client_ca) if path)
