"""``/`` for a browser: one page that needs nothing from elsewhere, and may load nothing from elsewhere."""

from __future__ import annotations

import base64
import functools
import hashlib
from importlib import resources


@functools.cache
def page() -> tuple[bytes, dict[str, str]]:
    """The page with its style and its script, and the headers that isolate it: it may run these two, ask this agent,
    and do nothing else; no other page may access it, or learn where a visitor came from."""
    style, script = _file("page.css"), _file("page.js")
    html = _file("page.html").replace(b"<style>", b"<style>" + style).replace(b"<script>", b"<script>" + script)
    policy = (
        *("default-src 'none'", f"script-src {_hash(script)}", f"style-src {_hash(style)}", "connect-src 'self'"),
        *("img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
        "require-trusted-types-for 'script'",
    )
    return html, {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def _file(name: str) -> bytes:
    return (resources.files("ovsnet.web") / name).read_bytes()


def _hash(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"
