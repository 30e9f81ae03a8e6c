"""Pods and events of Kubernetes, as ``kubectl`` prints them and must-gather keeps them: how containers ended, and which
probes failed. Pure."""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Iterator
from itertools import islice

from ovsnet.explain.block_yaml import documents
from ovsnet.explain.clock import MONTHS, Zone, first_in
from ovsnet.explain.event import Event, Source
from ovsnet.explain.host_kinds import daemons_of

_DESCRIBED = re.compile(rb"^Namespace: +\S", re.MULTILINE)
_OBJECT = re.compile(rb'\{\s*"(?:apiVersion|kind)": ?"|(?:---\s*)?apiVersion: \S')
"""An object or a list of them, as JSON or YAML; keys are sorted."""
_TABLE = re.compile(r"(?:NAMESPACE +)?LAST SEEN +TYPE +REASON +OBJECT +(?:SUBOBJECT +SOURCE +)?MESSAGE")
"""``kubectl get events`` (kubernetes pkg/printers/internalversion/printers.go, ``eventColumnDefinitions``)."""
_LASTED = re.compile(
    r"(?:\S+ +)?(?P<age>\d\w*(?: \([^)]*\))?) +Warning +(?P<reason>\w+) +pod/(?P<pod>\S+) +(?P<words>.*)"
)
_OURS = re.compile(r"ovs|ovn")
_RFC1123 = re.compile(r"\w{3}, (\d{1,2}) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
"""As kubectl prints a time (staging/src/k8s.io/kubectl/pkg/describe/describe.go, ``time.RFC1123Z``)."""
WIDE = 300
"""Characters of a line of a table of events, before what it says and of that."""
_KEY = re.compile(r"^( *)([A-Z][\w ]*?|[a-z0-9][\w.-]*):(?: +(.*))?$")
_FAILED = re.compile(r"(?:Liveness|Startup) probe failed: ")


def is_pods(head: bytes) -> bool:
    """Whether a file that begins so may be one of these."""
    if _OBJECT.match(head.lstrip()) or _TABLE.match(head.decode(errors="replace")):
        return True
    return bool(_DESCRIBED.search(head)) and b"|" not in head.partition(b"\n")[0]


def pods(name: str, text: str, zone: Zone) -> tuple[list[Event], list[str]]:
    """The ends of containers of OVS and OVN, and sentences on what has no time."""
    if text.lstrip().startswith("{"):
        return list(_listed(name, _json(text), zone)), []
    if text.lstrip().startswith(("---", "apiVersion:")):
        return [event for each in documents(text) for event in _listed(name, each, zone)], []
    if _TABLE.match(text):
        return [], [f"{name}: {words}" for words in islice(_tabled(text), 5)]
    return list(_described(name, text)), [f"{name}: {words}" for words in islice(_failed(text), 5)]


def _failed(text: str) -> Iterator[str]:
    """The sentences of the kubelet's warnings."""
    for found in _FAILED.finditer(text):
        since = max(found.start() - WIDE, 0)
        before = text[max(text.rfind("\n", since, found.start()) + 1, since) : found.start()]
        if "Warning " in before and before.rstrip().endswith("kubelet"):
            yield text[found.start() : found.end() + WIDE].partition("\n")[0].strip()


def _described(name: str, text: str) -> Iterator[Event]:
    """``Last State`` of each container, which is indented by two (``describeContainers``)."""
    node = container = state = ""
    said: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if (found := _KEY.match(line)) is None:
            continue
        indent, key, value = len(found[1]), found[2], (found[3] or "").strip()
        if indent == 0 and key == "Node":
            node = value.partition("/")[0]
        elif indent == 2 and not value:
            container, state = key, ""
        elif indent == 4:
            state, said = (value, {}) if key in ("State", "Last State") else ("", {})
        elif indent == 6 and state == "Terminated":
            said[key] = value
            if key == "Finished" and (at := _moment(value)) is not None:
                yield from _ended(name, node, container, said, at, number, line)


def _ended(
    name: str, node: str, container: str, said: dict[str, str], at: float, number: int, line: str
) -> Iterator[Event]:
    how = f"{said.get('Reason', 'Terminated')}, exit code {said.get('Exit Code', '?')}"
    for daemon in daemons_of(container):
        source = Source(name, host=node, first=at, last=at)
        words = {"subject": daemon, "how": how, "reason": said.get("Reason", ""), "exit": said.get("Exit Code", "")}
        yield Event("container-ended", at, source, number, f"{container}: {how}; {line.strip()}", said=words)


def _moment(text: str) -> float | None:
    if (found := _RFC1123.search(text)) is None or (month := MONTHS.get(found[2].encode())) is None:
        return None
    day, year, hour, minute, second = (int(found[each]) for each in (1, 3, 4, 5, 6))
    if not (1970 <= year < 2200 and 1 <= day <= 31):
        return None
    offset = int(found[8]) * 3600 + int(found[9]) * 60
    return calendar.timegm((year, month, day, hour, minute, second)) - (-offset if found[7] == "-" else offset)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tabled(text: str) -> Iterator[str]:
    """Warnings of pods of OVS and OVN: the table has ages instead of times."""
    for line in text.splitlines():
        if (found := _LASTED.match(line[: 2 * WIDE])) is not None and _OURS.search(found["pod"]):
            yield f"{found['age']} before it was printed, {found['reason']} of {found['pod']}: {found['words'].strip()}"


def _listed(name: str, found: object, zone: Zone) -> Iterator[Event]:
    """Events in which the kubelet kills a container, or a probe fails; pods whose containers ended."""
    if not isinstance(found, dict):
        return
    items = found.get("items", [found])
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict):
            yield from _event(name, item, zone)
            yield from _pod(name, item, zone)


def _pod(name: str, item: dict[str, object], zone: Zone) -> Iterator[Event]:
    """The last end of each container of a pod (core/v1, ``ContainerStatus``)."""
    node = _text(_in(item, "spec", "nodeName"))
    for kind in ("containerStatuses", "initContainerStatuses"):
        statuses = _in(item, "status", kind)
        for status in statuses if isinstance(statuses, list) else []:
            for state in ("lastState", "state"):
                ended = _in(status, state, "terminated")
                at = first_in(_text(_in(ended, "finishedAt")).encode(errors="replace"), zone)
                if at is not None:
                    said = {"Reason": _text(_in(ended, "reason")), "Exit Code": str(_in(ended, "exitCode"))}
                    container = _text(_in(status, "name"))
                    yield from _ended(name, node, container, said, at.at, 0, _text(_in(ended, "finishedAt")))


def _in(found: object, *keys: str) -> object:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _event(name: str, item: dict[str, object], zone: Zone) -> Iterator[Event]:
    subject, source = item.get("involvedObject"), item.get("source")
    path = _text(subject.get("fieldPath")) if isinstance(subject, dict) else ""
    host = _text(source.get("host")) if isinstance(source, dict) else ""
    message = _text(item.get("message"))
    stamp = _text(item.get("lastTimestamp")) or _text(item.get("eventTime"))
    found = first_in(stamp.encode(errors="replace"), zone)
    container = re.search(r"\{([\w.-]+)\}", path)
    if found is None or container is None:
        return
    kind = {"Killing": "container-killed", "Unhealthy": "probe"}.get(_text(item.get("reason")))
    if kind is None or (kind == "probe" and not message.startswith(("Liveness", "Startup"))):
        return
    for daemon in daemons_of(container[1]):
        own = Source(name, host=host, first=found.at, last=found.at)
        yield Event(kind, found.at, own, 0, message[:300], said={"subject": daemon, "how": message[:100]})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
