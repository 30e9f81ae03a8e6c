"""The runbook by code, for a reader with access to nothing but the node: ``docs/runbook.md``, part of the package."""

from __future__ import annotations

import functools
import re
from importlib import resources

_MARK = re.compile(r"^<!-- .* -->\n", re.MULTILINE)


@functools.cache
def sections() -> dict[str, str]:
    """The section of each code, without the marks of what is generated."""
    text = (resources.files("ovsnet.web") / "runbook.md").read_text(encoding="utf-8")
    parts = (_MARK.sub("", part).partition("\n") for part in text.split("\n## ")[1:])
    return {heading: f"{heading}\n\n{body.strip()}\n" for heading, _, body in parts}
