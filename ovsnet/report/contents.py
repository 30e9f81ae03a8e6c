"""What a report holds, and how it is packed: a tar.gz with one directory. Pure.

ovsnet-report/manifest.json          the format, when and by which ovsnet it was made, and what is missing, and why
ovsnet-report/status.json            as the agent serves it, or as `ovsnet check --json` prints it where none runs
ovsnet-report/history.json           as the agent serves it
ovsnet-report/doctor.json            as `ovsnet doctor --json` prints it
ovsnet-report/lint.json              as `ovsnet tune lint --json` prints it
ovsnet-report/versions.json          of the daemons, of the kernel and of ovsnet
ovsnet-report/databases/NAME.json    the tables with knobs, as `ovsdb-client dump --format=json` prints them
ovsnet-report/logs/NAME.log          the last lines of each log, and where it was rotated those before
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping

import msgspec

from ovsnet.report.disguise import Disguise
from ovsnet.report.secrets import without_secrets, without_secrets_in

FORMAT = 1
ROOT = "ovsnet-report"
MANIFEST = "manifest"
WORDS = {
    "status": "what the checks said",
    "history": "the last hour, as the agent saw it",
    "doctor": "what the doctor said of the host",
    "lint": "what was said of the knobs",
    "versions": "the versions",
}
"""Each document, for a person."""


class Contents(msgspec.Struct, frozen=True):
    """``documents`` by name, ``databases`` as lines of JSON, ``logs`` by name, and ``missing``: why something is not
    there."""

    made: float
    observer: str
    documents: Mapping[str, object]
    databases: Mapping[str, list[object]] = msgspec.field(default_factory=dict)
    logs: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    missing: Mapping[str, str] = msgspec.field(default_factory=dict)


def packed(contents: Contents, version: str, disguise: Disguise | None) -> bytes:
    """The archive, without secrets, and with ``disguise`` without names and addresses."""
    made = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=made, mode="wb", mtime=int(contents.made)) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for name, text in _texts(contents, version, disguise):
            content = text.encode("utf-8", "surrogateescape")
            member = tarfile.TarInfo(f"{ROOT}/{name}")
            member.size, member.mtime, member.mode = len(content), int(contents.made), 0o600
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _texts(contents: Contents, version: str, disguise: Disguise | None) -> Iterator[tuple[str, str]]:
    documents = {name: without_secrets_in(document) for name, document in contents.documents.items()}
    databases = {name: [*map(without_secrets_in, lines)] for name, lines in contents.databases.items()}
    logs = {name: without_secrets(log.decode("utf-8", "surrogateescape")) for name, log in contents.logs.items()}
    manifest: object = {
        "ovsnet_report": FORMAT,
        "made": contents.made,
        "by": version,
        "observer": contents.observer,
        "anonymous": disguise is not None,
        "parts": [*documents, *(f"databases/{name}" for name in databases), *(f"logs/{name}" for name in logs)],
        "missing": without_secrets_in(dict(contents.missing)),
    }
    if disguise is not None:
        for part in (*documents.values(), *databases.values()):
            disguise.learn_in(part)
        for log in logs.values():
            disguise.learn(log)
        manifest = disguise.document(manifest)
        documents = {name: disguise.document(document) for name, document in documents.items()}
        databases = {name: [*map(disguise.document, lines)] for name, lines in databases.items()}
        logs = {disguise.text(name): disguise.text(log) for name, log in logs.items()}
    yield f"{MANIFEST}.json", json.dumps(manifest, indent=1)
    for name, document in documents.items():
        yield f"{name}.json", json.dumps(document, indent=1)
    for name, lines in databases.items():
        yield f"databases/{name}.json", "".join(f"{json.dumps(line)}\n" for line in lines)
    for name, log in logs.items():
        yield f"logs/{name}", log
