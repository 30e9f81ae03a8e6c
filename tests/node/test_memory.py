"""How near a process is to its cgroup's memory limit: in made-up trees, and the decision with a made-up clock."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.node.memory import KILL_COUNTS, LASTS, Memory, MemoryWatch, memories

MIB = 1 << 20


def group(
    place: Path, used: int, limit: str, *, inactive: int = 0, active: int = 0, slab: int = 0, kills: int = 0
) -> None:
    """Of version 2, in MiB."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "memory.current").write_text(f"{used * MIB}\n")
    (place / "memory.max").write_text(f"{limit}\n")
    cache = f"inactive_file {inactive * MIB}\nactive_file {active * MIB}\nslab_reclaimable {slab * MIB}\n"
    (place / "memory.stat").write_text(f"anon 1\n{cache}")
    (place / "memory.events").write_text(f"low 0\nmax 5\noom 2\noom_kill {kills}\n")


def of(tmp_path: Path, membership: str) -> Memory | None:
    (tmp_path / "proc/7").mkdir(parents=True, exist_ok=True)
    (tmp_path / "proc/7/cgroup").write_text(membership)
    return memories({"ovs-vswitchd": 7}, tmp_path / "proc", tmp_path / "cgroup")["ovs-vswitchd"]


def test_what_the_kernel_takes_back_is_no_use(tmp_path: Path) -> None:
    place = tmp_path / "cgroup/system.slice/ovs.service"
    group(place, 120, str(128 * MIB), inactive=30, active=20, slab=20, kills=3)
    found = of(tmp_path, "0::/system.slice/ovs.service\n")
    assert found == Memory(str(place), str(place / "memory.max"), 50 * MIB, 128 * MIB, 3)


def test_limit_of_the_pod_counts_for_its_container_and_its_kills_are_told_apart(tmp_path: Path) -> None:
    pods = tmp_path / "cgroup/kubepods.slice"
    pod = pods / "kubepods-pod0a1b2c3d_1111_2222.slice"
    group(pod / "cri-1", 30, "max", kills=1)
    group(pod, 95, str(100 * MIB), kills=2)
    group(pods, 100, str(1000 * MIB), kills=9)
    found = of(tmp_path, f"0::/kubepods.slice/{pod.name}/cri-1\n")
    assert found is not None
    assert (found.group, found.share, found.kills, found.pod_kills) == (str(pod), 0.95, 1, 2)


def test_limit_that_all_pods_share_is_not_that_of_a_daemon(tmp_path: Path) -> None:
    """kubelet sets it to what the node has for pods (node allocatable), and a node that is well packed is near it."""
    pods = tmp_path / "cgroup/kubepods.slice"
    pod = pods / "kubepods-pod0a1b2c3d_1111_2222.slice"
    group(pod / "cri-1", 95, str(400 * MIB))
    group(pod, 96, "max")
    group(pods, 950, str(1000 * MIB))
    found = of(tmp_path, f"0::/kubepods.slice/{pod.name}/cri-1\n")
    assert found is not None
    assert (found.group, round(found.share, 2)) == (str(pod / "cri-1"), 0.24)


@pytest.mark.parametrize(("daemon", "counts"), [(60, True), (40, False)])
def test_limit_of_a_slice_counts_while_most_of_its_use_is_the_daemons(
    tmp_path: Path, daemon: int, *, counts: bool
) -> None:
    group(tmp_path / "cgroup/ovs.slice/ovs.service", daemon, "max")
    group(tmp_path / "cgroup/ovs.slice", 95, str(100 * MIB))
    found = of(tmp_path, "0::/ovs.slice/ovs.service\n")
    assert found is not None
    assert found.share == (0.95 if counts else 0.0)


def test_kills_are_counted_without_a_limit(tmp_path: Path) -> None:
    """One of the whole host: ``--monitor`` starts the daemon again in the same group."""
    group(tmp_path / "cgroup/ovs.service", 50, "max", kills=4)
    found = of(tmp_path, "0::/ovs.service\n")
    assert found is not None
    assert (found.limit, found.share, found.kills) == (0, 0.0, 4)


def test_version_1_has_other_names(tmp_path: Path) -> None:
    place = tmp_path / "cgroup/memory/x"
    place.mkdir(parents=True)
    for name, text in {
        "memory.usage_in_bytes": f"{100 * MIB}",
        "memory.limit_in_bytes": f"{200 * MIB}",
        "memory.stat": f"cache 9\ntotal_inactive_file {20 * MIB}\ntotal_active_file {20 * MIB}\n",
        "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
    }.items():
        (place / name).write_text(text)
    found = of(tmp_path, "4:memory:/x\n0::/\n")
    assert found is not None
    assert (found.used, found.limit, found.kills) == (60 * MIB, 200 * MIB, 4)
    (place / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    found = of(tmp_path, "4:memory:/x\n0::/\n")
    assert found is not None
    assert (found.limit, found.kills) == (0, 4)


def test_daemons_of_one_group_have_its_figures(tmp_path: Path) -> None:
    group(tmp_path / "cgroup/pod", 100, str(200 * MIB))
    for pid, membership in {1: "0::/pod\n", 2: "0::/pod\n", 3: "0::/other\n"}.items():
        (tmp_path / f"proc/{pid}").mkdir(parents=True)
        (tmp_path / f"proc/{pid}/cgroup").write_text(membership)
    found = memories({"one": 1, "two": 2, "three": 3}, tmp_path / "proc", tmp_path / "cgroup")
    assert found["one"] is not None
    assert found["one"] == found["two"]
    assert found["three"] is None


@pytest.mark.parametrize("membership", ["", "0::/gone\n", "0::/../../outside\n"])
def test_what_cannot_be_seen_is_unknown(tmp_path: Path, membership: str) -> None:
    assert of(tmp_path, membership) is None


def at(share: float, kills: int = 0, pod_kills: int = 0) -> Memory:
    return Memory("/g", "/g/memory.max", int(share * 1000), 1000, kills, pod_kills)


def test_peak_is_no_fault_and_what_lasts_is() -> None:
    watch = MemoryWatch()
    looks = [(0.5, 0), (0.95, 10), (0.5, 20), (0.95, 30), (0.95, 30 + LASTS - 1), (0.95, 30 + LASTS), (0.89, 99)]
    assert [watch.look(at(share), now, 7) for share, now in looks] == ["", "", "", "", "", "near", ""]


def test_near_at_the_first_look_is_told_at_once() -> None:
    watch = MemoryWatch()
    assert [watch.look(at(share), now, 7) for share, now in ((0.95, 0.0), (0.5, 1.0), (0.95, 2.0))] == ["near", "", ""]


def test_kill_that_is_new_is_told_for_an_hour_and_an_old_one_never() -> None:
    watch = MemoryWatch()
    looks = [(7, 0.0), (7, 10.0), (8, 20.0), (8, 20 + KILL_COUNTS - 1), (8, 20 + KILL_COUNTS), (0, 9e9), (1, 9e9 + 1)]
    said = [watch.look(at(0.1, kills), now, 7) for kills, now in looks]
    assert said == ["", "", "killed", "killed", "", "", "killed"]


@pytest.mark.parametrize(("pid", "said"), [(7, ""), (8, "killed")])
def test_kill_in_the_pod_is_the_daemons_when_it_started_again(pid: int, said: str) -> None:
    """A container that is killed has a new group, which counts from zero."""
    watch = MemoryWatch()
    watch.look(at(0.1, pod_kills=1), 0.0, 7)
    assert watch.look(at(0.1, pod_kills=2), 10.0, pid) == said
