"""A report holds no secret, and with a disguise no name; what was packed is read back; damage is a sentence."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import lzma
import os
import random
import tarfile
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.errors import OvsnetError, UnfitEnvironment
from ovsnet.node.rundir import Rundir
from ovsnet.report.contents import Contents, packed
from ovsnet.report.disguise import Disguise
from ovsnet.report.logs import TAIL, tails
from ovsnet.report.reading import Report, SavedFindings, SavedStatus, heading, read_report
from ovsnet.report.secrets import REMOVED, without_secrets, without_secrets_in

STATUS = {
    "node": "db7.example.com",
    "state": "not-ready",
    "rundir": {"ovs": "/run/openvswitch", "ovn": "/run/ovn", "others": []},
    "diagnosis": {
        "code": "southbound-down",
        "summary": "Nobody at ssl:10.0.0.9:6642.",
        "remedy": "Start it.",
        "since": 1.0,
        "also": [],
    },
    "checks": [{"name": "ovsdb.echo", "status": "ok", "detail": "db7 answers.", "rtt_seconds": None}],
}
ROW = [
    ["uuid", "1"],
    ["map", [["system-id", "chassis-of-db7"], ["ovn-encap-ip", "10.0.0.7"], ["ipsec_psk", "hunter2"]]],
]
DATABASE = {"headings": ["_uuid", "external_ids"], "data": [ROW], "caption": "Open_vSwitch table"}
LOG = (
    "2026-11-25T23:30:02.114Z|00007|binding|INFO|Claiming lport shop_cart-7d9f for this chassis.\n"
    "2026-11-25T23:30:02.115Z|00008|binding|INFO|0a:58:0a:f4:00:05 10.0.0.9 fd00::5\n"
    "2026-11-25T23:30:02.116Z|00009|reconnect|INFO|ssl:10.0.0.9:6642: connected\n"
    "2026-11-25T23:30:02.117Z|00010|main|INFO|lport shop_cart-7d9f of chassis-of-db7, 127.0.0.1, br-int, 3.1.0\n"
)


def contents() -> Contents:
    documents: dict[str, object] = {"status": STATUS, "doctor": {"findings": [], "steps": []}}
    return Contents(1.7e9, "check", documents, {"Open_vSwitch": [DATABASE]}, {"ovn-controller.log": LOG.encode()},
                    {"history": "No agent answers."})  # fmt: skip


def unpacked(archive: bytes) -> dict[str, str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {each.name: file.read().decode() for each in tar if (file := tar.extractfile(each)) is not None}


def reread(path: Path, archive: bytes) -> Report:
    path.write_bytes(archive)
    return read_report(str(path), io.BytesIO())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("ipsec_psk=hunter2 next", "hunter2"),
        ('{"db-password": "hunter 2", "x": 1}', "hunter 2"),
        ("options: {private_key='hunter2'}", "hunter2"),
        ("Authorization: Bearer hunter2.hunter2", "hunter2"),
        ("cannot open https://me:hunter2@host/x", "hunter2"),
        ("a\n-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nb", "hunter2"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2", "hunter2"),
        ("API_KEY: hunter2", "hunter2"),
    ],
)
def test_secret_is_removed_and_the_rest_stays(text: str, secret: str) -> None:
    found = without_secrets(text)
    assert secret not in found
    assert REMOVED in found
    assert "next" in found or "next" not in text


def test_secret_in_a_document_is_removed_wherever_it_lies() -> None:
    assert without_secrets_in({"a": [{"my_token": "t"}, [["psk", "p"], ["b", "c"]]]}) == {
        "a": [{"my_token": REMOVED}, [["psk", REMOVED], ["b", "c"]]]
    }


@given(st.text(max_size=300))
def test_text_without_a_secret_stays(text: str) -> None:
    lowered = text.lower()
    if not any(each in lowered for each in ("pass", "secret", "token", "psk", "cred", "key", "bearer", "basic", "//")):
        assert without_secrets(text) == text


def test_endless_word_is_no_endless_work() -> None:
    """A line of a million letters: linear work ends at once, quadratic work in a week."""
    assert without_secrets("x" * (1 << 20)) == "x" * (1 << 20)
    assert Disguise().text("x." * (1 << 19) + ":" * 1000) == "x." * (1 << 19) + ":" * 1000


def test_disguise_leaves_no_name_and_no_address_and_is_the_same_everywhere() -> None:
    disguise = Disguise()
    disguise.know("node", "db7.example.com")
    parts = unpacked(packed(contents(), "1", disguise))
    everything = "\n".join(parts.values())
    for name in ("db7", "example.com", "10.0.0.", "fd00::5", "0a:58", "shop_cart", "hunter2"):
        assert name not in everything, name
    status = json.loads(parts["ovsnet-report/status.json"])
    assert (status["node"], status["state"]) == ("node-1", "not-ready")
    log = parts["ovsnet-report/logs/ovn-controller.log"].splitlines()
    server = status["diagnosis"]["summary"].split(":")[1]
    assert f"ssl:{server}:6642: connected" in log[2]
    assert "lport port-1 of chassis-1, 127.0.0.1, br-int, 3.1.0" in log[3]
    assert log[0].startswith("2026-11-25T23:30:02.114Z|00007|binding|INFO|Claiming lport port-1 for this chassis")
    database = json.loads(parts["ovsnet-report/databases/Open_vSwitch.json"])
    assert database["data"][0][1][1][0] == ["system-id", "chassis-1"]


@given(st.ip_addresses(), st.sampled_from(["{}", "tcp:{}:6642", "[{}]:1", "({})", "{}, x", "{}/24"]))
def test_every_address_is_replaced(address: IPv4Address | IPv6Address, frame: str) -> None:
    text = frame.format(address)
    if ":" in str(address) and frame == "tcp:{}:6642":
        text = f"tcp:[{address}]:6642"
    own = address.is_loopback or address.is_unspecified or address.is_multicast
    found = Disguise().text(text)
    first = ("198.18.0.1", "2001:db8::1")
    assert own or str(address).startswith("255.") or str(address) in first or str(address) not in found


def test_report_is_read_back(tmp_path: Path) -> None:
    report = reread(tmp_path / "r.tar.gz", packed(contents(), "1", None))
    raw, known = report.document("status", SavedStatus)
    assert raw["node"] == known.node == "db7.example.com"
    assert list(heading(report, known.node)) == [
        "A report of db7.example.com made at 2023-11-14T22:13:20Z, as `ovsnet check` saw it then.",
        "missing: history: No agent answers.",
    ]
    with pytest.raises(UnfitEnvironment, match=r"does not hold the last hour.*No agent answers"):
        report.document("history", SavedStatus)
    with pytest.raises(UnfitEnvironment, match="none of ovsnet's"):
        report.document("doctor", SavedFindings)  # no finding at all


def test_report_is_read_unpacked_and_within_another_archive(tmp_path: Path) -> None:
    archive = packed(contents(), "1", None)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path / "case", filter="data")
    assert read_report(str(tmp_path / "case"), io.BytesIO()).documents.keys() == {"status", "doctor"}
    with tarfile.open(tmp_path / "outer.tar", "w") as outer:
        (tmp_path / "r.tar.gz").write_bytes(archive)
        outer.add(tmp_path / "r.tar.gz", "attachments/r.tar.gz")
    assert read_report(str(tmp_path / "outer.tar"), io.BytesIO()).documents.keys() == {"status", "doctor"}


def test_what_is_no_report_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"ovsnet_report": 99, "made": 1}')
    with pytest.raises(UnfitEnvironment, match="There is no report"):
        read_report(str(tmp_path), io.BytesIO())


@pytest.mark.parametrize("seed", range(60))
def test_damaged_report_is_an_answer_or_a_sentence(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    with tarfile.open(fileobj=io.BytesIO(packed(contents(), "1", None))) as tar:
        tar.extractall(tmp_path, filter="data")
    for path in (tmp_path / "ovsnet-report").glob("*.json"):
        text = bytearray(path.read_bytes())
        for _ in range(chosen.choice([0, 1, 3])):
            at = chosen.randrange(len(text))
            text[at : at + chosen.randrange(4)] = chosen.choice([b"", b"null", b"[]", b"{", b"9" * 400, b"\xff", b'"'])
        path.write_bytes(text)
    with contextlib.suppress(OvsnetError):
        report = read_report(str(tmp_path), io.BytesIO())
        list(heading(report))
        for name, shape in (("status", SavedStatus), ("doctor", SavedFindings)):
            with contextlib.suppress(OvsnetError):
                report.document(name, shape)


def test_logs_of_the_usual_places_are_bounded_and_begin_with_a_line(tmp_path: Path) -> None:
    rundir = Rundir(tmp_path / "run/openvswitch", tmp_path / "run/ovn")
    for directory in ("run/openvswitch", "log/openvswitch", "log/ovn", "more"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "log/openvswitch/ovs-vswitchd.log").write_bytes(b"a line\n" * (TAIL // 7 + 1000))
    (tmp_path / "log/ovn/ovs-vswitchd.log").write_bytes(b"of another\n")
    (tmp_path / "more/x.log").write_bytes(b"x\n")
    (tmp_path / "more/loop.log").symlink_to("loop.log")
    found, missing = tails(rundir, [tmp_path / "more"])
    assert found.keys() == {"x.log", "ovs-vswitchd.log", "ovn-ovs-vswitchd.log"}
    assert TAIL - 7 <= len(found["ovs-vswitchd.log"]) <= TAIL
    assert found["ovs-vswitchd.log"].startswith(b"a line\n")
    assert "cannot be read" in missing["loop.log"]


def test_log_that_was_rotated_is_filled_up_from_the_files_before(tmp_path: Path) -> None:
    rundir = Rundir(tmp_path / "run/openvswitch", tmp_path / "run/ovn")
    now = 1_700_000_000
    files = {
        "a.log": b"fourth\n",
        "a.log.1": b"third\n",
        "a.log-20261125.gz": gzip.compress(b"second"),
        "a.log.3.xz": lzma.compress(b"first\n"),
        "a.log.4.gz": b"\x1f\x8bdamaged",
        "a.log.bak": b"of nobody\n",
        "ab.log.1": b"of another\n",
        "b.log": b"",
        "b-20261125.log.gz": gzip.compress(b"yesterday\n"),
    }
    for age, (name, content) in enumerate(files.items()):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (now - age, now - age))
    found, missing = tails(rundir, [tmp_path])
    assert found == {"a.log": b"first\nsecond\nthird\nfourth\n", "b.log": b"yesterday\n"}
    assert not missing


def test_rotated_logs_are_bounded_together(tmp_path: Path) -> None:
    rundir = Rundir(tmp_path / "run/openvswitch", tmp_path / "run/ovn")
    (tmp_path / "a.log").write_bytes(b"new\n")
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(b"a line\n" * (TAIL // 7 + 1000)))
    found, _ = tails(rundir, [tmp_path])
    assert TAIL - 20 <= len(found["a.log"]) <= TAIL
    assert found["a.log"].startswith(b"a line\n")
    assert found["a.log"].endswith(b"a line\nnew\n")
