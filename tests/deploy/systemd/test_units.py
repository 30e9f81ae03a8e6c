"""Unit files follow from the agent's deadlines."""

from __future__ import annotations

import re
import tomllib

import msgspec
import pytest

from ovsnet.config import Settings, declared, load
from ovsnet.deadlines import BACKLOG, DRAIN, SHUTDOWN, STALLED
from ovsnet.deploy.systemd import units
from ovsnet.deploy.systemd.units import DEBIAN, FAMILIES, RHEL, Family
from ovsnet.io.nofile import nofile_needed


def value(text: str, name: str) -> str:
    found = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
    assert found is not None, name
    return found[1]


def test_watchdog_barks_after_livez_has_failed_and_before_long() -> None:
    seconds = int(value(units.service(DEBIAN, "/x"), "WatchdogSec").removesuffix("s"))
    assert STALLED < seconds <= 3 * STALLED


def test_stop_is_given_the_time_it_promises_to_take() -> None:
    seconds = int(value(units.service(DEBIAN, "/x"), "TimeoutStopSec").removesuffix("s"))
    assert DRAIN + SHUTDOWN < seconds < 10


def test_descriptors_suffice_for_all_connections() -> None:
    assert int(value(units.service(DEBIAN, "/x"), "LimitNOFILE")) >= nofile_needed(65536)


def test_socket_queues_as_many_as_the_agent_would() -> None:
    assert int(value(units.socket(DEBIAN), "Backlog")) == BACKLOG


@pytest.mark.parametrize(("family", "user"), [(DEBIAN, "root"), (RHEL, "openvswitch")])
def test_service_runs_as_the_owner_of_the_sockets_and_without_capabilities(family: Family, user: str) -> None:
    text = units.service(family, "/x")
    assert value(text, "User") == user
    assert value(text, "CapabilityBoundingSet") == ""
    assert value(units.socket(family), "SocketUser") == user


def test_socket_listens_where_the_agent_would_by_default() -> None:
    assert f"ListenStream={Settings().listen[0]}\n" in units.socket(DEBIAN)


def test_wait_never_fails_the_start_of_ovn_controller_and_ends() -> None:
    command = value(units.wait_for_openflow("/x"), "ExecStartPre")
    found = re.fullmatch(r"-/usr/bin/timeout --kill-after=1 (\d+) /x wait --for openflow --timeout (\d+)", command)
    assert found is not None
    assert int(found[2]) < int(found[1]) < 90  # DefaultTimeoutStartSec


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_agent_is_started_again_for_ever_at_a_pace(family: Family) -> None:
    text = units.service(family, "/x")
    assert (value(text, "StartLimitIntervalSec"), value(text, "Restart"), value(text, "RestartSec")) == (
        "0",
        "always",
        "1s",
    )


def test_configuration_names_every_setting_and_says_nothing() -> None:
    text = units.configuration()
    assert tomllib.loads(text) == {}
    spoken = "\n".join(line.removeprefix("# ") for line in text.splitlines() if re.match(r"# \w+ = ", line))
    assert tomllib.loads(spoken).keys() == {each.name for each in declared()}
    assert msgspec.convert(tomllib.loads(spoken), Settings) == load()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_unit_calls_the_program_that_was_named(family: Family) -> None:
    for path, text in units.files(family, "/opt/o").items():
        assert all("/opt/o " in line for line in text.splitlines() if re.match("Exec(Start|StartPre)=", line)), path


def test_single_file_gets_a_place_to_unpack_and_no_other_program_does() -> None:
    """The services are shut out of the homes; and what the agent's user could fill, root must not run."""
    for program, places in (("/opt/ovsnet.pyz", ["ovsnet", "ovsnet-doctor"]), ("/usr/bin/ovsnet", [])):
        texts = [units.service(DEBIAN, program), units.doctor(program)]
        assert [place for text in texts for place in re.findall(r"^CacheDirectory=(.*)$", text, re.M)] == places
        assert sum(text.count("CacheDirectoryMode=0700") for text in texts) == len(places)
