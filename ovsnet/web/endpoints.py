"""The paths, each declared once: the server's routes, the list at ``/`` and the README's table follow from
``ENDPOINTS``.

Probe answers go out in one write with a Content-Length: a kubelet ignores a probe whose body stalls, instead of
counting it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import Response, StreamResponse

from ovsnet.agent.agent import Agent
from ovsnet.deadlines import STALLED
from ovsnet.health.causes import codes
from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.result import ELSEWHERE, NEVER_ASKED, Result, Status
from ovsnet.health.diagnosis import diagnose
from ovsnet.texts import for_http, likely
from ovsnet.web import pages
from ovsnet.web.events import EventStream
from ovsnet.web.page import page
from ovsnet.web.runbook import sections

Handler = Callable[[Agent, BaseRequest], StreamResponse]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path. A path that ends in ``/`` and is not the root takes one name after it. What it says about the node is
    shown only under the agent's own names; a ``probe`` says yes or no to every client, because a kubelet may be
    configured to send any Host. With a parameter in ``choices`` a yes or no reveals as much about one check as its
    reason, so these are for clients that may read reasons. What is ``costly`` takes milliseconds: a crowd that asks
    for it must not hold up a probe."""

    path: str
    handler: Handler
    yes: str
    no: str
    probe: bool = False
    costly: bool = False
    choices: frozenset[str] = frozenset()


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(
    path: str, *, yes: str, no: str = "", probe: bool = False, costly: bool = False, choices: Iterable[str] = ()
) -> Callable[[Handler], Handler]:
    """Declare a path: what 200 means, and what 503 means."""

    def declare(handler: Handler) -> Handler:
        ENDPOINTS[path] = Endpoint(path, handler, yes, no, probe, costly, frozenset(choices))
        return handler

    return declare


def text(body: str, status: int = 200) -> Response:
    """A plain answer that no cache keeps."""
    return Response(body=OK if body == "ok\n" else for_http(body).encode(), status=status, headers=_TEXT)


HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}

OK = b"ok\n"
"""The body of most probes' answers."""

_TEXT = Response(headers={**HEADERS, "Content-Type": "text/plain; charset=utf-8"}).headers
"""In aiohttp's own type, which it copies as it is: of a dict it would look at each name, in every answer."""


@endpoint("/livez", yes="our own loop turns", no="it has been blocked for seconds", probe=True)
def livez(agent: Agent, request: BaseRequest) -> Response:
    """Depends on nothing outside: restarting ovsnet cannot repair a switch."""
    lag = agent.clock() - agent.ticked_at
    return text("ok\n") if lag < STALLED else text(f"the loop last turned {lag:.1f} s ago\n", 503)


@endpoint(
    "/readyz",
    yes="healthy or degraded",
    no="the diagnosis and its sentence, then each check",
    probe=True,
    choices=("exclude", "require"),
)
def readyz(agent: Agent, request: BaseRequest) -> Response:
    """``?verbose`` lists the checks, ``?exclude=NAME`` leaves some out: as kube-apiserver does. ``?require=NAME``
    also fails for a check whose failure only degrades the node."""
    if agent.leaving:
        return text("leaving: ovsnet is being stopped.\n", 503)
    ready, diagnosis, results = agent.health.ready, agent.health.diagnosis, agent.health.results
    if ready and not request.query_string:
        return text("ok\n")
    excluded = frozenset(request.query.getall("exclude", ()))
    waiting = [name for name in agent.health.waits_for(agent.clock()) if name not in excluded]
    if excluded:
        results = {name: result for name, result in results.items() if name not in excluded}
        timeline = agent.health.timeline.without(excluded)
        diagnosis = diagnose(results, timeline, now=agent.clock(), allowance=agent.settings.start_allowance)
        ready = diagnosis.state.serves and not waiting
    required = dict.fromkeys(request.query.getall("require", ()))
    lacking = [name for name in required if not _passes(results.get(name))]
    ready = ready and not lacking
    if ready and "verbose" not in request.query:
        return text("ok\n")
    lines = [f"{diagnosis.code}: {diagnosis.summary}", *([diagnosis.remedy] if diagnosis.remedy else [])]
    lines += [_line(result) for result in results.values() if result.reason != ELSEWHERE]
    lines += [f"[+]{name} excluded: ok" for name in sorted(excluded & CHECKS.keys())]
    lines += [f"warn: there is no check {name!r} to exclude" for name in sorted(excluded - CHECKS.keys())]
    lines += [] if ready else [f"[-]{name} has still to answer for the first time" for name in waiting]
    lines += [f"[-]{name} is required and does not pass" for name in lacking]
    lines.append(f"readyz check {'passed' if ready else 'failed'}")
    return text("\n".join(lines) + "\n", 200 if ready else 503)


@endpoint("/readyz/", yes="this one check passes (`/readyz/openflow.echo`)", no="it fails, with its reason")
def readyz_check(agent: Agent, request: BaseRequest) -> Response:
    """One check by its name."""
    name = request.path.removeprefix("/readyz/")
    if name not in CHECKS:
        return text(f"There is no check {name!r}. {likely(name, CHECKS, 'The checks', 'at /readyz?verbose')}\n", 404)
    result = agent.health.results.get(name)
    if result is None:
        return text(f"{name} has not been asked yet\n", 503)
    return text(_line(result) + "\n", 200 if _passes(result) else 503)


def _passes(result: Result | None) -> bool:
    """Whether a check was asked and did not fail: slow and unknown pass, as they do for the node."""
    return result is not None and result.status is not Status.FAILED and result.reason not in NEVER_ASKED


@endpoint(
    "/startupz",
    yes="every stage was reached since the daemons' start",
    no="the stage waited for, and for how long",
    probe=True,
)
def startupz(agent: Agent, request: BaseRequest) -> Response:
    """For a startupProbe."""
    timeline = agent.health.timeline
    waiting = timeline.waiting_for()
    if waiting is None:
        return text("ok\n")
    since = (
        f" for {agent.clock() - timeline.began:.1f} s"
        if timeline.began is not None
        else ": no start of a daemon was seen"
    )
    lines = [f"waiting for the stage {waiting}{since}", *agent.health.diagnosis.evidence]
    return text("\n".join(lines) + "\n", 503)


@endpoint(
    "/ovs/livez", yes="OVS is alive, slow, or not known", no="proven dead for longer than `dead_after`", probe=True
)
def ovs_livez(agent: Agent, request: BaseRequest) -> Response:
    """Fails only on proof. A timeout is not proof."""
    dead_for = agent.health.dead_for(agent.clock())
    if dead_for <= agent.settings.dead_after:
        return text("ok\n")
    diagnosis = agent.health.diagnosis
    return text(f"{diagnosis.code} for {dead_for:.0f} s: {diagnosis.summary}\n{diagnosis.remedy}\n", 503)


@endpoint("/status", yes="everything, as one JSON document", costly=True)
def status(agent: Agent, request: BaseRequest) -> Response:
    """The document that ``ovsnet check --json`` prints."""
    return Response(body=pages.status(agent), content_type="application/json", headers=HEADERS)


@endpoint("/history", yes="an hour of worst states and round trips, and the last changes, as JSON", costly=True)
def history(agent: Agent, request: BaseRequest) -> Response:
    """The memory of the agent, which begins with its start and survives a reload."""
    return Response(body=pages.history(agent), content_type="application/json", headers=HEADERS)


@endpoint("/runbook/", yes="what the runbook says of a code (`/runbook/vswitchd-hung`)")
def runbook(agent: Agent, request: BaseRequest) -> Response:
    """One section, as plain text."""
    code = request.path.removeprefix("/runbook/")
    if code not in codes():
        return text(f"There is no code {code!r}. {likely(code, codes(), 'The codes', 'in docs/runbook.md')}\n", 404)
    return text(sections()[code])


@endpoint("/metrics", yes="Prometheus text, OpenMetrics by Accept", costly=True)
def metrics_page(agent: Agent, request: BaseRequest) -> Response:
    """One scrape."""
    from ovsnet.web import metrics  # 3 MB and 50 ms, once, only for agents that are scraped

    body, content_type = metrics.page(agent, request.headers.get("Accept", ""))
    return Response(body=body, headers={**HEADERS, "Content-Type": content_type})


@endpoint("/events", yes="each change of a result or of the diagnosis, as server-sent events", costly=True)
def events(agent: Agent, request: BaseRequest) -> StreamResponse:
    """Until the client goes, or the agent."""
    return EventStream(agent, HEADERS)


@endpoint("/", yes="the status page; as plain text, this list")
def index(agent: Agent, request: BaseRequest) -> Response:
    """A browser asks for HTML, curl for anything."""
    if "text/html" in request.headers.get("Accept", ""):
        html, headers = page()
        return Response(body=html, content_type="text/html", charset="utf-8", headers={**HEADERS, **headers})
    width = max(len(path) for path in ENDPOINTS)
    return text("".join(f"{each.path:{width}}  {each.yes}\n" for each in ENDPOINTS.values()))


def _line(result: Result) -> str:
    if result.status is Status.OK:
        return f"[+]{result.name} ok"
    sign = "-" if result.status is Status.FAILED or result.reason in NEVER_ASKED else "+"
    return f"[{sign}]{result.name} {result.status}: {result.detail}"
