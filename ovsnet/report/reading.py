"""A report, read back: as the archive that was made, or unpacked, or within another archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Annotated, Literal, TypeVar

import msgspec

from ovsnet.archives.streams import streams
from ovsnet.errors import UnfitEnvironment
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.report.contents import FORMAT, MANIFEST, WORDS
from ovsnet.texts import for_line, harmless

LARGEST = 16 << 20
"""Bytes of one document."""
MOST = 200
"""Documents that are looked at, to find a report within another archive."""

Shape = TypeVar("Shape")


class Manifest(msgspec.Struct):
    """Of what is in it only this is leaned on."""

    ovsnet_report: int
    made: float
    observer: str = ""
    anonymous: bool = False
    missing: dict[str, str] = {}


class SavedDiagnosis(msgspec.Struct):
    """What was wrong when a report was made."""

    code: str
    summary: str
    remedy: str
    since: float
    also: list[str]


class SavedCheck(msgspec.Struct):
    """One check of a report."""

    name: str
    status: Literal["ok", "slow", "failed", "unknown", "skipped"]
    detail: str
    rtt_seconds: float | None


class SavedRundir(msgspec.Struct):
    """Of which Open vSwitch a report is."""

    ovs: str
    others: list[str]


class SavedStatus(msgspec.Struct):
    """What is leaned on of ``/status``."""

    node: str
    state: str
    rundir: SavedRundir
    diagnosis: SavedDiagnosis
    checks: list[SavedCheck]


class SavedFinding(msgspec.Struct):
    """One finding of the doctor."""

    severity: Literal["fatal", "warning", "unseen", "note", "ok"]
    summary: str
    remedy: str
    evidence: tuple[str, ...]
    code: str


class SavedFindings(msgspec.Struct):
    """What ``ovsnet doctor --json`` prints."""

    findings: Annotated[list[SavedFinding], msgspec.Meta(min_length=1)]


class Report(msgspec.Struct, frozen=True):
    """What a report holds. ``told`` says what of the archive could not be read."""

    path: str
    manifest: Manifest
    documents: dict[str, object]
    told: tuple[str, ...] = ()

    def document(self, name: str, shape: type[Shape]) -> tuple[dict[str, object], Shape]:
        """A document as it is, and as what it must be. Raises UnfitEnvironment where it is missing, or something
        else."""
        if name not in self.documents:
            why = self.manifest.missing.get(name) or next(iter(self.told), "it was not put there.")
            raise UnfitEnvironment(f"The report does not hold {WORDS[name]}: {for_line(why)}")
        found = self.documents[name]
        try:
            return msgspec.convert(found, dict[str, object]), msgspec.convert(found, shape)
        except msgspec.ValidationError as error:
            raise UnfitEnvironment(
                f"{name}.json of {self.path} is none of ovsnet's: {error}.", remedy="Have the report made again."
            ) from error


def read_report(path: str, standard_input: IO[bytes]) -> Report:
    """Raises UnfitEnvironment when there is no report in it, UsageError when there is no such file."""
    told: list[str] = []
    found: dict[str, dict[str, object]] = {}
    looked = 0
    for stream in streams([path], standard_input, lambda name, words: told.append(f"{name} {words}")):
        place, _, base = (stream.within or stream.name).rpartition("/")
        name = base.removesuffix(".json")
        if base == name or name not in (*WORDS, MANIFEST) or (looked := looked + 1) > MOST:
            continue
        if (content := stream.whole(LARGEST)) is None:
            told.append(f"{stream.name} is too large.")
            continue
        try:
            found.setdefault(place, {})[name] = harmless(msgspec.json.decode(content))
        except BAD_JSON as error:
            told.append(f"{stream.name} is not JSON: {error}.")
    for documents in found.values():
        if (manifest := _manifest(documents.pop(MANIFEST, None))) is not None:
            return Report(path, manifest, documents, tuple(told))
    raise UnfitEnvironment(
        f"There is no report of ovsnet in {path}." + (f" {for_line(told[0])}" if told else ""),
        remedy="Give what `ovsnet report` wrote; `ovsnet explain` and `tune lint --from` read other archives, too.",
    )


def heading(report: Report, node: str = "") -> Iterator[str]:
    """Of which moment it is, and what is missing in it."""
    made = datetime.fromtimestamp(min(max(report.manifest.made, 0.0), LATEST), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    whose = f" of {node}" if node else ""
    yield f"A report{whose} made at {made}, as {OBSERVERS.get(report.manifest.observer, 'ovsnet')} saw it then."
    yield from (f"missing: {name}: {why}" for name, why in report.manifest.missing.items())
    yield from (f"not read: {each}" for each in report.told)


LATEST = 1e11
"""Seconds since 1970 that a date can be made of."""
OBSERVERS = {"agent": "the agent", "check": "`ovsnet check`"}


def _manifest(found: object) -> Manifest | None:
    try:
        manifest = msgspec.convert(found, Manifest)
    except msgspec.ValidationError:
        return None
    return manifest if 1 <= manifest.ovsnet_report <= FORMAT else None
