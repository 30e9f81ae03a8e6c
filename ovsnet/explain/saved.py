"""What lies beside logs and has no time: databases, what ovs-vsctl and ovs-appctl printed, a report's status. It is
judged, and told as notes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ovsnet.errors import OvsnetError
from ovsnet.explain.clock import stamp
from ovsnet.explain.verdicts import Note
from ovsnet.node.raft import MEMBER, parse_cluster
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.texts import for_line, harmless
from ovsnet.tune.lint import lint
from ovsnet.tune.offline import facts_of_readings
from ovsnet.tune.readers import recognise
from ovsnet.tune.readers.reading import Reading

DATABASES = (b"OVSDB JSON", b"OVSDB CLUSTER")
SIGNS = (
    b"OVSDB ",
    b"external_ids",
    b"other_config",
    b"inactivity_probe",
    b"ovn-",
    b"OVN_",
    b"ovs_version",
    b"Cluster ID",
)
"""A text without any of these holds nothing that is read here."""
OURS = (b'"diagnosis"', b'"step_seconds"')
MOST = 10
"""Settings, and diagnoses of an agent, that are reported."""


class Saved:
    """Texts of one lot: those of one node complete each other."""

    def __init__(self) -> None:
        self._readings: list[Reading] = []
        self._notes: list[Note] = []

    def take(self, name: str, content: bytes) -> bool:
        """Whether it was something that is read here."""
        if not any(sign in content for sign in SIGNS) and not any(sign in content for sign in OURS):
            return False
        text = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        if (words := _said(text)) is not None:
            self._notes += [Note(each, name) for each in words]
            return True
        if "Cluster ID" in text and "Server ID" in text and not text.startswith("OVSDB "):
            self._notes += [Note(words, name) for words in _cluster(text)]
            return True
        try:
            reading = recognise(text)
        except OvsnetError as error:
            if content.startswith(DATABASES):
                self._notes.append(Note(for_line(str(error)), name))
            return False
        if reading is None:
            return False
        self._notes += [Note(f"Not read: {each}.", name) for each in reading.unread if content.startswith(DATABASES)]
        self._readings.append(reading)
        return True

    def notes(self) -> Sequence[Note]:
        """What is wrong in them, and what they say."""
        found: dict[str, None] = {}
        for facts in facts_of_readings(self._readings):
            for each in lint(facts):
                if each.is_harmful:
                    instead = f" Instead: {each.instead}." if each.instead else ""
                    found[for_line(f"A setting ({each.kind}): {each.says} {each.does}{instead}")] = None
        settings = [Note(words) for words in found]
        if len(settings) > MOST:
            more = Note(f"{len(settings) - MOST} more settings are wrong: `ovsnet tune lint --from` has them all.")
            settings = [*settings[:MOST], more]
        return [*self._notes, *settings]


def _cluster(text: str) -> Iterator[str]:
    """``cluster/status`` of a member that is not well."""
    found = parse_cluster(text)
    if found.status and found.status != MEMBER:
        yield for_line(f"Server {found.server} of the cluster says of itself: {found.status}.")
    elif not found.leader:
        yield for_line(f"Server {found.server} of the cluster knew no leader; it was a {found.role or 'member'}.")
    for peer in found.away:
        yield for_line(f"Server {found.server} of the cluster had no connection to {peer}.")


def _said(text: str) -> list[str] | None:
    """``status.json`` and ``history.json`` of a report: what ovsnet itself saw then."""
    if not text.startswith("{"):
        return None
    try:
        found: Any = harmless(msgspec.json.decode(text))
        if "diagnosis" in found:
            diagnosis = found["diagnosis"]
            return [f"When the report was made, ovsnet said {diagnosis['code']}: {diagnosis['summary']}"]
        if "step_seconds" in found and "events" in found:
            return [*_turns(found["events"])][-MOST:]
    except (*BAD_JSON, KeyError, TypeError, OverflowError):
        return []
    return None


LATEST = 1e11
"""Seconds since 1970 that are a date of four digits or little more."""


def _turns(events: Any) -> Iterator[str]:  # noqa: ANN401 - a document of anybody's
    """What was wrong in the hour before, as the agent saw it."""
    for each in events:
        if each["kind"] == "diagnosis" and each["state"] != "ready" and 0 <= each["at"] < LATEST:
            lasted = each["lasted_seconds"]
            words = "and it was so when it was asked" if lasted is None else f"for {float(lasted):.1f} s"
            yield f"The agent saw {each['code']} from {stamp(float(each['at']))}, {words}: {each['summary']}"
