"""The clock."""

import os

import pytest

from ovsnet.doctor import EXAMINATIONS, Host, Severity
from ovsnet.doctor.clock import TIMESYNCD

from .conftest import NOW, RUNDIR, Tree


def test_clock_before_this_program_is_behind(tree: Tree) -> None:
    assert tree.one("clock.sane").severity is Severity.OK
    (found,) = EXAMINATIONS["clock.sane"].findings(Host(tree.root, now=86400.0), tree.live)
    assert found.severity is Severity.WARNING


def test_clock_that_went_back_is_told_by_the_run_directory(tree: Tree) -> None:
    os.utime(tree.path(RUNDIR), (NOW, NOW + 3600))
    found = tree.one("clock.sane")
    assert found.severity is Severity.WARNING
    assert "3600 s" in found.summary


def test_timesyncd_leaves_its_success_in_a_file(tree: Tree) -> None:
    tree.write(TIMESYNCD)
    assert tree.one("clock.synchronised").severity is Severity.OK


@pytest.mark.parametrize("service", ["chronyd", "ntpd", "ptp4l"])
def test_running_service_is_well_and_says_whom_to_ask(tree: Tree, service: str) -> None:
    tree.process(50, service)
    found = tree.one("clock.synchronised")
    assert found.severity is Severity.OK
    assert "whether it has a source" in found.summary


@pytest.mark.parametrize(
    ("remote", "severity"), [("tcp:1.2.3.4:6642", Severity.NOTE), ("ssl:h:6642", Severity.WARNING)]
)
def test_clock_that_nobody_sets_matters_for_tls(tree: Tree, remote: str, severity: Severity) -> None:
    tree.database(external_ids={"ovn-remote": remote})
    assert tree.one("clock.synchronised").severity is severity


def test_service_outside_our_namespace_cannot_be_seen(tree: Tree) -> None:
    tree.process(2, "sleep")
    assert tree.one("clock.synchronised").severity is Severity.UNSEEN
