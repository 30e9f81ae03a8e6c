"""What no report may carry: keys, passwords, tokens. They are removed by what names them, whatever they are. Pure."""

from __future__ import annotations

import re

REMOVED = "(removed)"

_NAMES = r"passw(?:or)?d|passphrase|secret|token|psk|credential|(?:api|private|auth|access)[_-]?key"
_NAMED = re.compile(_NAMES, re.IGNORECASE)
_SETTING = re.compile(
    rf"(?<![\w.-])([\w.-]*(?:{_NAMES})[\w.-]*)(\\?[\"']?\s*[=:]\s*)"
    r"(?:\\?\"[^\"\n]*\"?|'[^'\n]*'?|[^\s\"',}\]]+)",
    re.IGNORECASE,
)
"""``ipsec_psk=x``, ``"password": "a b"``, ``Token: x``."""
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_BEARER = re.compile(r"\b(bearer|basic) +[\w.~+/=-]{8,}", re.IGNORECASE)
"""Of an Authorization header (RFC 6750 section 2.1, RFC 7617)."""
_USER = re.compile(r"//[^/\s:@]+:[^/\s@]+@")
"""User and password in a URL (RFC 3986 section 3.2.1)."""


def without_secrets(text: str) -> str:
    """Text of any kind."""
    text = _KEY.sub(REMOVED, text)
    text = _SETTING.sub(rf"\1\2{REMOVED}", text)
    text = _BEARER.sub(rf"\1 {REMOVED}", text)
    return _USER.sub(f"//{REMOVED}@", text)


def without_secrets_in(document: object) -> object:
    """A decoded JSON document, also where it has OVSDB's maps in wire form: ``[[key, value], ...]``."""
    match document:
        case str():
            return without_secrets(document)
        case dict():
            return {key: _valued(str(key), value) for key, value in document.items()}
        case [str() as key, str() as value]:
            return [key, _valued(key, value)]
        case list():
            return [without_secrets_in(each) for each in document]
    return document


def _valued(key: str, value: object) -> object:
    if isinstance(value, str) and _NAMED.search(key):
        return REMOVED
    return without_secrets_in(value)
