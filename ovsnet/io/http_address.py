"""Where HTTP is served, as people write it."""

from __future__ import annotations

from ovsnet.io.address import Address, Scheme, host_and_port


class HttpAddress(Address, frozen=True):
    """An address that is shown as it was typed."""

    typed: str = ""

    @classmethod
    def parse(cls, text: str, *, any_port: bool = False) -> HttpAddress:
        """Read ``HOST:PORT`` or ``http://HOST:PORT``, ``ssl:HOST:PORT`` or ``https://HOST:PORT``, or ``unix:PATH``.
        Raises AddressError."""
        if text.startswith("unix:"):
            return cls("unix", path=Address.parse(text).path, typed=text)
        scheme, rest = _without_scheme(text)
        host, port = host_and_port(rest, text, 0 if any_port else 1, "127.0.0.1:10670", "[::1]:10670")
        return cls(scheme, host=host, port=port, typed=text)

    def __str__(self) -> str:
        return self.typed


def _without_scheme(text: str) -> tuple[Scheme, str]:
    for prefix in ("https://", "ssl:"):
        if text.startswith(prefix):
            return "ssl", text.removeprefix(prefix).removesuffix("/")
    return "tcp", text.removeprefix("http://").removesuffix("/")
