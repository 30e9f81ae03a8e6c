"""``/`` as a person sees it: one page that needs nothing from elsewhere, and may load nothing from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources


@functools.cache
def page() -> tuple[bytes, str]:
    """The page, and its Content-Security-Policy: its own script and style by their hashes, and requests to us."""
    html = (resources.files("ovsnet.web") / "page.html").read_bytes()
    script, style = (_hash(_inside(html, tag)) for tag in (b"script", b"style"))
    policy = f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; frame-ancestors 'none'"
    return html, policy + "; base-uri 'none'; form-action 'none'"


def _inside(html: bytes, tag: bytes) -> bytes:
    return html.partition(b"<%s>" % tag)[2].partition(b"</%s>" % tag)[0]


def _hash(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
