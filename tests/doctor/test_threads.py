"""Thread settings against CPUs and dispatch mode."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Denied, Tree

KERNEL = {"bridges": {"br-int": ""}, "offered_datapaths": frozenset({"system", "netdev"})}
USERSPACE = {"bridges": {"br-int": "netdev"}, "offered_datapaths": frozenset({"system", "netdev"})}


def ask(
    tree: Tree,
    version: str = "3.3.0",
    facts: dict[str, object] | None = None,
    *,
    settings: dict[str, str] | None = None,
) -> None:
    tree.database(ovs_version=version, other_config=settings or {}, **(KERNEL if facts is None else facts))


def test_settings_are_unseen_without_a_database(tree: Tree) -> None:
    for code in ("threads.handlers", "threads.revalidators"):
        found = tree.one(code)
        assert found.severity is Severity.UNSEEN
        assert "ovsdb-server" in found.remedy


def test_running_threads_are_evidence(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.threads(100, 3, 2)
    ask(tree)
    assert "3 handlers and 2 revalidators run" in tree.one("threads.handlers").evidence


def test_threads_that_may_not_be_seen_are_left_out(tree: Tree, deny: Denied) -> None:
    tree.daemon("ovs-vswitchd", 100)
    ask(tree)
    deny("/proc/100/task")
    assert tree.one("threads.handlers").evidence == ("4 CPUs",)


def test_handler_setting_does_nothing_under_per_cpu_dispatch(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.threads(100, 4, 2)
    ask(tree, settings={"n-handler-threads": "10"})
    found = tree.one("threads.handlers")
    assert found.severity is Severity.NOTE
    assert "does nothing" in found.summary


def test_handler_setting_of_an_unknown_switch_is_unseen(tree: Tree) -> None:
    ask(tree, version="", settings={"n-handler-threads": "2"})
    assert tree.one("threads.handlers").severity is Severity.UNSEEN


@pytest.mark.parametrize(
    ("asked", "severity"),
    [
        ("2", Severity.OK),
        ("4", Severity.OK),
        ("10", Severity.WARNING),
        ("0", Severity.WARNING),
        ("x", Severity.WARNING),
    ],
)
@pytest.mark.parametrize("name", ["handler", "revalidator"])
def test_setting_must_be_a_number_that_fits_the_cpus(tree: Tree, name: str, asked: str, severity: Severity) -> None:
    ask(tree, version="2.15.9", settings={f"n-{name}-threads": asked})
    assert tree.one(f"threads.{name}s").severity is severity


@pytest.mark.parametrize(
    ("cpus", "handlers", "severity"),
    [
        (12, 8, Severity.OK),
        (13, 9, Severity.WARNING),
        (13, 0, Severity.NOTE),
        (13, 13, Severity.OK),
        (96, 96, Severity.NOTE),
    ],
)
def test_unset_handlers_are_a_matter_of_cpus_and_dispatch(
    tree: Tree, cpus: int, handlers: int, severity: Severity
) -> None:
    """A kernel 5.14 of el9 with 96 handlers on 96 CPUs dispatches per CPU."""
    tree.write("/sys/devices/system/cpu/online", f"0-{cpus - 1}")
    tree.kernel("5.14.0-427.el9")
    tree.daemon("ovs-vswitchd", 100, cpus=f"0-{cpus - 1}")
    tree.threads(100, handlers, 4)
    ask(tree)
    found = tree.one("threads.handlers")
    assert found.severity is severity
    if severity is Severity.WARNING:
        assert "starts 9 handlers" in found.summary
        assert "n-handler-threads=10" in found.remedy


def test_unset_revalidators_are_noted_on_many_cpus(tree: Tree) -> None:
    ask(tree)
    assert tree.one("threads.revalidators").severity is Severity.OK
    tree.write("/sys/devices/system/cpu/online", "0-95")
    found = tree.one("threads.revalidators")
    assert found.severity is Severity.NOTE
    assert "starts 25" in found.summary


def test_unset_revalidators_are_what_the_set_handlers_leave(tree: Tree) -> None:
    tree.write("/sys/devices/system/cpu/online", "0-63")
    ask(tree, settings={"n-handler-threads": "10"})
    assert "starts 54" in tree.one("threads.revalidators").summary
