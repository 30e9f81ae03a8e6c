"""``ovsnet explain``: the answer as text and as JSON, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ovsnet
from tests.explain.material import node

LOGS = Path(__file__).parents[1] / "explain" / "logs"


def test_outage_is_told_with_proof_and_is_exit_code_1(ovsnet: Ovsnet) -> None:
    code, out, err = ovsnet("explain", str(LOGS / "switch-away"))
    assert (code, err) == (1, "")
    assert "OUTAGE  vswitchd-down, for 7.0 s (certain)" in out
    assert "ovs-vswitchd.log:11: terminating with signal 15" in out
    assert "START   ovs-vswitchd: 2.79 s" in out
    assert "faster by 2.7 s" in out


def test_healthy_start_is_exit_code_0(ovsnet: Ovsnet) -> None:
    code, out, err = ovsnet("explain", str(LOGS / "first-start"))
    assert (code, err) == (0, "")
    assert out.startswith("no outages, 1 start.")


def test_dump_alone_is_an_answer_of_notes(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "dpctl").write_text("system@ovs-system:\n  lookups: hit:1 missed:2 lost:7\n  flows: 5\n")
    code, out, err = ovsnet("explain", str(tmp_path))
    assert (code, err) == (0, "")
    assert out.startswith("No log of a daemon")
    assert "lost 7 packets" in out


@pytest.mark.parametrize("zone", ["+02:00", "Europe/Berlin"])
def test_times_without_a_zone_are_those_of_a_place(ovsnet: Ovsnet, tmp_path: Path, zone: str) -> None:
    line = "2026-07-01 12:00:00 h kernel: Out of memory: Killed process 77 (ovs-vswitchd) total-vm:9kB\n"
    (tmp_path / "messages").write_text(line)
    _, out, _ = ovsnet("explain", "--zone", zone, str(tmp_path))
    assert "2026-07-01T10:00:00.000Z  OUTAGE" in out


def test_json(ovsnet: Ovsnet) -> None:
    code, out, err = ovsnet("explain", "--json", str(LOGS / "switch-away"))
    assert (code, err) == (1, "")
    assert json.loads(out)["outages"][0]["code"] == "vswitchd-down"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["/nowhere/at/all"], 2, "There is no /nowhere/at/all."),
        ([str(Path(__file__).parent / "conftest.py")], 3, "No line of an Open vSwitch or OVN daemon"),
        (["--zone", "Berlin", "-"], 2, "neither an offset from UTC such as +02:00 nor a known zone"),
    ],
)
def test_wrong_input_is_a_sentence(ovsnet: Ovsnet, arguments: list[str], code: int, said: str) -> None:
    found, out, err = ovsnet("explain", *arguments)
    assert (found, out) == (code, "")
    assert said in err


def test_report_is_one_page_without_scripts(ovsnet: Ovsnet, tmp_path: Path) -> None:
    code, _, err = ovsnet("explain", "--report", str(tmp_path / "page.html"), str(LOGS / "southbound-away"))
    assert (code, err) == (1, "")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "southbound-down" in text
    assert "terminating with signal 15" in text
    assert text.count('class="life"') >= 4
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert '<meta name="viewport"' in text
    assert 'role="img" aria-label="' in text
    assert "1 outage, " in text


def test_report_that_cannot_be_written(ovsnet: Ovsnet) -> None:
    code, _, err = ovsnet("explain", "--report", "/nowhere/page.html", str(LOGS / "first-start"))
    assert code == 2
    assert "Cannot write /nowhere/page.html" in err


def test_crash_loop_does_not_flood_the_terminal(ovsnet: Ovsnet, tmp_path: Path) -> None:
    database, switch, controller = node()
    for at in range(1000, 4000, 30):
        switch.start(float(at)).say(at + 0.2, "connmgr", 'br-int: added service controller "punix:/n/br-int.mgmt"')
    for log in (database, switch, controller):
        (tmp_path / log.name).write_bytes(log.text)
    code, out, _ = ovsnet("explain", str(tmp_path))
    assert code == 1
    assert "earlier ones are left out here" in out
    assert out.count("START") + out.count("OUTAGE") <= 40


def test_nodes_have_zones_of_their_own(ovsnet: Ovsnet, tmp_path: Path) -> None:
    for name, hour, daemon in (("n1", 14, "ovs-vswitchd"), ("n2", 11, "ovn-controller")):
        (tmp_path / name).mkdir()
        words = f"{name}-host kernel: Out of memory: Killed process 77 ({daemon}) total-vm:9kB"
        (tmp_path / name / "messages").write_text(f"2026-07-01 {hour}:00:00 {words}\n")
    _, out, _ = ovsnet("explain", "--json", "--zone", "n1=+02:00", "--zone", "n2=Europe/London", str(tmp_path))
    began = {each["code"]: each["began"] for each in json.loads(out)["outages"]}
    assert began == {"vswitchd-down": "2026-07-01T12:00:00.000Z", "controller-down": "2026-07-01T10:00:00.000Z"}


def test_zone_of_a_host_is_for_its_lines_alone(ovsnet: Ovsnet, tmp_path: Path) -> None:
    lines = [
        f"2026-07-01 12:00:0{second} {host} kernel: Out of memory: Killed process 77 ({daemon}) total-vm:9kB\n"
        for second, (host, daemon) in enumerate((("n1.example.org", "ovs-vswitchd"), ("n2", "ovn-controller")))
    ]
    (tmp_path / "messages").write_text("".join(lines))
    _, out, _ = ovsnet("explain", "--json", "--zone", "+01:00", "--zone", "n1=+02:00", str(tmp_path))
    began = {each["code"]: each["began"] for each in json.loads(out)["outages"]}
    assert began == {"vswitchd-down": "2026-07-01T10:00:00.000Z", "controller-down": "2026-07-01T11:00:01.000Z"}


def test_zone_of_what_is_not_there_is_a_sentence(ovsnet: Ovsnet) -> None:
    found, out, err = ovsnet("explain", "--zone", "n7=+02:00", str(LOGS / "switch-away"))
    assert (found, out) == (2, "")
    assert "A time zone was given for n7, but no host, file or directory has this name." in err
