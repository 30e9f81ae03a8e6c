"""Where HTTP is served: with and without a scheme, and refused with an example that fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import AddressError
from ovsnet.io.http_address import HttpAddress


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:10670", ("tcp", "127.0.0.1", 10670)),
        ("[::1]:10670", ("tcp", "::1", 10670)),
        ("http://127.0.0.1:10670", ("tcp", "127.0.0.1", 10670)),
        ("http://[::1]:10670/", ("tcp", "::1", 10670)),
        ("ssl:node.example:443", ("ssl", "node.example", 443)),
        ("https://node.example:443/", ("ssl", "node.example", 443)),
    ],
)
def test_address_of_http_is_read_with_and_without_its_scheme(text: str, expected: tuple[str, str, int]) -> None:
    address = HttpAddress.parse(text)
    assert (address.scheme, address.host, address.port) == expected
    assert str(address) == text


def test_http_may_be_served_at_a_unix_socket() -> None:
    assert HttpAddress.parse("unix:/run/ovsnet.sock").path == "/run/ovsnet.sock"


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("nonsense", "127.0.0.1:10670"),
        ("http://127.0.0.1", "127.0.0.1:10670"),
        ("http://127.0.0.1:10670/status", "127.0.0.1:10670"),
        ("tcp:127.0.0.1:10670", "127.0.0.1:10670"),
        ("127.0.0.1:0", "127.0.0.1:10670"),
        ("::1:10670", "[::1]:10670"),
        ("http://::1:10670", "[::1]:10670"),
    ],
)
def test_refused_address_of_http_is_named_as_typed_with_an_example_of_its_kind(text: str, example: str) -> None:
    with pytest.raises(AddressError) as caught:
        HttpAddress.parse(text)
    assert repr(text) in str(caught.value)
    assert caught.value.remedy == f"Write it as {example}."


def test_port_zero_is_only_for_listening_to_http() -> None:
    assert HttpAddress.parse("127.0.0.1:0", any_port=True).port == 0


@given(st.text() | st.from_regex(r"(unix:|ssl:|https?://).*", fullmatch=True))
def test_any_text_is_an_address_of_http_or_an_address_error(text: str) -> None:
    try:
        address = HttpAddress.parse(text)
    except AddressError:
        return
    assert str(address) == text
