"""What each path answers, with which code, on a health that the test wrote."""

import asyncio
import json

import pytest

from ovsnet.deadlines import STALLED
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.web.endpoints import ENDPOINTS
from ovsnet.web.server import find_endpoint
from tests.test_texts import EVIL, acts
from tests.web.conftest import Serve

GONE = (Status.FAILED, "gone", "Process 7 has ended.")


async def test_livez_says_200_while_our_loop_turns_and_whatever_ovs_does(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.get("/livez"))[:2] == (200, "ok\n")
        served.agent.tell("ovsdb.echo", *GONE)
        served.agent.now += STALLED * 0.9
        assert (await served.get("/livez"))[:2] == (200, "ok\n")


async def test_livez_says_503_once_our_loop_stood_still(serve: Serve) -> None:
    async with serve() as served:
        served.agent.now += STALLED
        status, body, _ = await served.get("/livez")
        assert status == 503
        assert body == f"the loop last turned {STALLED:.1f} s ago\n"


@pytest.mark.parametrize("path", ["/status", "/history", "/metrics", "/readyz?verbose"])
async def test_name_of_any_bytes_breaks_no_answer_and_does_nothing_there(serve: Serve, path: str) -> None:
    """Whatever did not make it harmless before."""
    async with serve(bridge=("br\x1b\u202e",)) as served:
        served.agent.name = EVIL
        for change in served.agent.tell("ovsdb.echo", Status.FAILED, "gone", EVIL):
            served.agent.past.change(change, served.agent.now)
        status, body, _ = await served.get(path)
        assert status == 503 if path.startswith("/readyz") else status == 200
        assert r"\x1b" not in body
        assert not [each for each in body if acts(each) and each != "\n"]


async def test_readyz_says_200_for_healthy_and_for_degraded(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        assert (await served.get("/readyz"))[:2] == (200, "ok\n")
        served.agent.tell("vswitchd.ofproto", Status.SLOW, "late", "It is late.")
        assert served.agent.health.diagnosis.state.label == "degraded"
        assert (await served.get("/readyz"))[:2] == (200, "ok\n")


async def test_readyz_says_503_with_the_root_its_remedy_and_each_check(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("vswitchd.ofproto", *GONE)
        served.agent.tell("openflow.echo", Status.SKIPPED, "precondition", "vswitchd.ofproto failed.")
        status, body, _ = await served.get("/readyz")
    assert status == 503
    lines = body.splitlines()
    assert lines[0] == "vswitchd-down: ovs-vswitchd is not running."
    assert lines[1].startswith("Start it")
    assert "[+]ovsdb.echo ok" in lines
    assert "[-]vswitchd.ofproto failed: Process 7 has ended." in lines
    assert "[-]openflow.echo skipped: vswitchd.ofproto failed." in lines
    assert lines[-1] == "readyz check failed"


async def test_readyz_says_503_while_nothing_is_known(serve: Serve) -> None:
    async with serve() as served:
        status, body, _ = await served.get("/readyz")
    assert status == 503
    assert body.startswith("starting: The first answers are not in yet.")


async def test_readyz_says_503_with_the_stage_that_a_start_waits_for(serve: Serve) -> None:
    async with serve() as served:
        served.agent.health.restarted("ovsdb-server", served.agent.now, served.agent.now)
        served.agent.tell("ovsdb.echo", *GONE)
        status, body, _ = await served.get("/readyz")
    assert status == 503
    assert body.startswith("starting: The start waits for the stage database.")


async def test_readyz_verbose_lists_each_check_when_all_is_well(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("controller.running", Status.SKIPPED, "not-used", "This node has no OVN.")
        status, body, _ = await served.get("/readyz?verbose")
    assert status == 200
    assert [line for line in body.splitlines() if line.startswith("[+]")] == [
        "[+]controller.running skipped: This node has no OVN." if name == "controller.running" else f"[+]{name} ok"
        for name in CHECKS
    ]
    assert body.endswith("readyz check passed\n")


async def test_readyz_without_an_excluded_check_is_judged_by_the_others(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("openflow.flows", Status.FAILED, "flows-missing", "No flows.")
        assert (await served.get("/readyz"))[0] == 503
        assert (await served.get("/readyz?exclude=openflow.flows"))[:2] == (200, "ok\n")
        assert (await served.get("/readyz?exclude=ovsdb.echo"))[0] == 503
        _, body, _ = await served.get("/readyz?verbose&exclude=openflow.flows&exclude=ovsdb.echo&exclude=no.such")
    assert "[+]openflow.flows excluded: ok" in body
    assert "[+]ovsdb.echo excluded: ok" in body
    assert "no check 'no.such'" in body
    assert body.endswith("readyz check passed\n")


async def test_required_check_that_fails_or_was_not_asked_makes_the_node_unready(serve: Serve) -> None:
    """A southbound that fell behind only degrades the node, unless somebody wants more."""
    async with serve() as served:
        served.agent.all_well()
        assert (await served.get("/readyz?require=southbound.fresh"))[:2] == (200, "ok\n")
        served.agent.tell("southbound.fresh", Status.FAILED, "stale", "It went back in time.")
        assert (await served.get("/readyz"))[0] == 200
        code, body, _ = await served.get("/readyz?require=southbound.fresh&require=ovsdb.echo")
        assert (await served.get("/readyz?require=no.such"))[0] == 503
    assert code == 503
    assert "[-]southbound.fresh is required and does not pass" in body
    assert "ovsdb.echo is required" not in body
    assert body.endswith("readyz check failed\n")


async def test_excluded_check_of_a_stage_is_not_waited_for(serve: Serve) -> None:
    async with serve() as served:
        served.agent.health.restarted("ovs-vswitchd", served.agent.now, served.agent.now)
        for name in CHECKS:
            if name != "openflow.flows":
                served.agent.tell(name)
        assert (await served.get("/readyz"))[0] == 503
        assert (await served.get("/readyz?exclude=openflow.flows"))[0] == 200


async def test_readyz_of_an_agent_that_has_just_started_waits_for_each_first_answer(serve: Serve) -> None:
    async with serve() as served:
        served.agent.tell("openflow.flows", Status.SLOW, "busy", "It is at work.")
        for name in CHECKS:
            if name != "openflow.flows":
                served.agent.tell(name)
        for query in ("", "?verbose", "?exclude=ovsdb.bridge"):
            status, body, _ = await served.get(f"/readyz{query}")
            assert status == 503
            assert "[-]openflow.flows has still to answer for the first time\n" in body
        assert (await served.get("/readyz?exclude=openflow.flows"))[0] == 200
        served.agent.tell("openflow.flows")
        assert (await served.get("/readyz"))[:2] == (200, "ok\n")


@pytest.mark.parametrize(
    ("told", "code", "body"),
    [
        ((Status.OK, "", ""), 200, "[+]ovsdb.bridge ok\n"),
        ((Status.SLOW, "late", "It is late."), 200, "[+]ovsdb.bridge slow: It is late.\n"),
        ((Status.UNKNOWN, "unseen", "Who knows."), 200, "[+]ovsdb.bridge unknown: Who knows.\n"),
        ((Status.SKIPPED, "not-used", "No OVN."), 200, "[+]ovsdb.bridge skipped: No OVN.\n"),
        (GONE, 503, "[-]ovsdb.bridge failed: Process 7 has ended.\n"),
        ((Status.SKIPPED, "precondition", "Needs more."), 503, "[-]ovsdb.bridge skipped: Needs more.\n"),
    ],
)
async def test_one_check_by_its_name(serve: Serve, told: tuple[Status, str, str], code: int, body: str) -> None:
    async with serve() as served:
        assert (await served.get("/readyz/ovsdb.bridge"))[0] == 503  # nobody has asked yet
        served.agent.tell("ovsdb.bridge", *told)
        assert (await served.get("/readyz/ovsdb.bridge"))[:2] == (code, body)


async def test_unknown_check_is_404_with_where_they_are(serve: Serve) -> None:
    async with serve() as served:
        status, body, _ = await served.get("/readyz/something-else-altogether")
    assert status == 404
    assert body.endswith(" The checks are listed at /readyz?verbose.\n")


async def test_startupz_waits_for_each_stage_and_says_for_how_long(serve: Serve) -> None:
    async with serve() as served:
        served.agent.health.restarted("ovsdb-server", served.agent.now, served.agent.now)
        served.agent.tell("ovsdb.echo", *GONE)
        served.agent.now += 3.0
        status, body, _ = await served.get("/startupz")
        assert status == 503
        assert "the stage database for 3.0 s" in body
        assert "ovsdb.echo: Process 7 has ended." in body
        served.agent.all_well()
        assert (await served.get("/startupz"))[:2] == (200, "ok\n")
        served.agent.tell("ovsdb.echo", *GONE)
        assert (await served.get("/startupz"))[0] == 200  # a fault is not a start


async def test_startupz_of_a_start_that_nobody_saw_knows_no_seconds(serve: Serve) -> None:
    """The agent alone is new, beside a node that is broken for long."""
    async with serve() as served:
        served.agent.tell("ovsdb.echo", *GONE)
        status, body, _ = await served.get("/startupz")
    assert (status, body.splitlines()[0]) == (503, "waiting for the stage database: no start of a daemon was seen")


async def test_ovs_livez_fails_on_proof_that_lasts_longer_than_dead_after(serve: Serve) -> None:
    async with serve(dead_after=30.0) as served:
        served.agent.all_well()
        served.agent.tell("vswitchd.ofproto", *GONE)
        served.agent.now += 30.0
        assert (await served.get("/ovs/livez"))[:2] == (200, "ok\n")
        served.agent.now += 1.0
        status, body, _ = await served.get("/ovs/livez")
        assert status == 503
        assert body.startswith("vswitchd-down for 31 s: ")
        served.agent.tell("vswitchd.ofproto")
        assert (await served.get("/ovs/livez"))[0] == 200


@pytest.mark.parametrize(
    "told",
    [
        (Status.SLOW, "starved", "No CPU."),
        (Status.UNKNOWN, "unseen", "Another pid namespace."),
        (Status.FAILED, "protocol", "No OpenFlow."),
        (Status.FAILED, "refused", "Nobody listens there."),
        (Status.FAILED, "socket-missing", "There is no such socket."),
        (Status.FAILED, "not-visible", "Nothing can be seen."),
        (Status.FAILED, "tls", "The certificate is wrong."),
    ],
)
async def test_ovs_livez_never_fails_without_proof(serve: Serve, told: tuple[Status, str, str]) -> None:
    async with serve(dead_after=1.0) as served:
        served.agent.all_well()
        served.agent.tell("vswitchd.ofproto", *told)
        served.agent.now += 1000.0
        assert (await served.get("/ovs/livez"))[:2] == (200, "ok\n")


async def test_status_is_the_document_of_the_agent(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.now += 2.0
        status, body, headers = await served.get("/status")
        assert json.loads(body) == json.loads(json.dumps(served.agent.document()))
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert {each["age_seconds"] for each in json.loads(body)["checks"]} == {2.0}


async def test_root_names_every_path(serve: Serve) -> None:
    async with serve() as served:
        status, body, headers = await served.get("/")
    assert status == 200
    assert headers["Content-Type"].startswith("text/")
    assert all(path in body for path in ENDPOINTS)


@pytest.mark.parametrize("path", ["/nonsense", "/livez/", "/livez/x", "/readyz/", "/ovs", "/ovs/", "//", "/LIVEZ"])
async def test_unknown_path_is_404_and_says_where_the_known_ones_stand(serve: Serve, path: str) -> None:
    async with serve() as served:
        status, body, _ = await served.get(path)
    assert status == 404
    assert "/" in body


@pytest.mark.parametrize(
    ("path", "found"),
    [("/livez", "/livez"), ("/readyz/a.b", "/readyz/"), ("/readyz/", None), ("/", "/"), ("", None), ("/x", None)],
)
def test_path_finds_its_endpoint(path: str, found: str | None) -> None:
    endpoint = find_endpoint(path)
    assert (endpoint.path if endpoint else None) == found


@pytest.mark.parametrize("path", [*ENDPOINTS, "/readyz/ovsdb.echo", "/nonsense"])
async def test_no_answer_is_kept_or_guessed_at(serve: Serve, path: str) -> None:
    if path == "/events":
        path = "/livez"  # a stream has no length, and a test of its own
    async with serve() as served:
        _, body, headers = await served.get(path)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert int(headers["Content-Length"]) == len(body.encode())


async def test_text_does_nothing_to_a_terminal(serve: Serve) -> None:
    """curl shows it as it comes."""
    async with serve() as served:
        served.agent.tell("ovsdb.echo", Status.FAILED, "x", "\x1b]0;PWNED\x07\u202e")
        for path in ("/readyz?verbose", "/readyz/ovsdb.echo"):
            assert r"\u001b]0;PWNED\u0007\u202e" in (await served.get(path))[1]


async def test_history_is_what_the_agent_remembers(serve: Serve) -> None:
    async with serve() as served:
        served.agent.past.started("ovs-vswitchd", served.agent.now)
        status, body, headers = await served.get("/history")
    found = json.loads(body)
    assert (status, headers["Content-Type"], found["format"]) == (200, "application/json", 1)
    assert [each["kind"] for each in found["events"]] == ["start"]


@pytest.mark.parametrize("path", ["/livez", "/status", "/", "/nonsense"])
async def test_nobody_learns_which_versions_of_python_and_aiohttp_run(serve: Serve, path: str) -> None:
    async with serve() as served:
        assert (await served.get(path))[2]["Server"] == "ovsnet"
        assert (await served.get(path, method="POST"))[2]["Server"] == "ovsnet"
        reader, writer = await asyncio.open_connection(served.host, served.port)
        writer.write(b"nonsense\r\n\r\n")
        assert b"\r\nServer: ovsnet\r\n" in await reader.read()
        writer.close()
