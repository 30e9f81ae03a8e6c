"""What ovsnet prints itself, as JSON, alone or in a report. Verdicts name knobs and set none; versions count. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ovsnet.node.version import Version, parse_version
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.knob import READERS as DAEMONS
from ovsnet.tune.readers.reading import Reader, Reading

VERDICTS = (
    frozenset(("diagnosis", "checks")),
    frozenset(("findings", "steps")),
    frozenset(("findings", "recognised")),
    frozenset(("events", "components", "step_seconds")),
)
"""Keys of the documents of ``check``, of the doctor, of ``tune lint``, and of the history."""
VERSIONS = frozenset(("ovsnet", "kernel"))


def _read(text: str) -> Reading | None:
    if not text.startswith("{"):
        return None
    try:
        found = msgspec.json.decode(text, type=dict[str, object])
    except BAD_JSON:
        return None  # other readers know JSON, too
    if found.keys() >= VERSIONS:
        return Reading("versions of a report", versions=_versions(found))
    if "ovsnet_report" in found:
        return Reading("what a report of ovsnet holds", notes=tuple(_missing(found.get("missing"))))
    if any(found.keys() >= keys for keys in VERDICTS):
        return Reading("what ovsnet said, which sets nothing")
    return None


def _missing(found: object) -> Iterator[str]:
    for name, why in found.items() if isinstance(found, dict) else ():
        yield f"it lacks {name}: {why}"


def _versions(found: dict[str, object]) -> dict[str, Version]:
    named = {daemon: parse_version(value) for daemon, value in found.items() if isinstance(value, str)}
    return {daemon: version for daemon, version in named.items() if daemon in DAEMONS and version is not None}


READER = Reader("a report of ovsnet", _read)
