"""Huge pages and CPU masks."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

POOL = "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
NODE = "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"


@pytest.mark.parametrize(
    ("config", "pages", "severity"),
    [
        ({}, 0, Severity.OK),
        ({"dpdk-init": "false"}, 0, Severity.OK),
        ({"dpdk-init": "True"}, 0, Severity.WARNING),
        ({"dpdk-init": "try"}, 512, Severity.OK),
        ({"dpdk-init": "true", "dpdk-extra": "--no-huge -m 100"}, 0, Severity.OK),
        ({"dpdk-init": "true", "dpdk-socket-mem": "1024,0"}, 512, Severity.OK),
        ({"dpdk-init": "true", "dpdk-socket-mem": "1025"}, 512, Severity.WARNING),
        ({"dpdk-init": "true", "dpdk-socket-mem": "²"}, 512, Severity.OK),  # a digit that is no number
    ],
)
def test_pages_are_there_when_they_are_asked_for(
    tree: Tree, config: dict[str, str], pages: int, severity: Severity
) -> None:
    tree.write(POOL, f"{pages}\n")
    tree.write(NODE, f"{pages}\n")
    tree.database(other_config=config)
    assert tree.one("dpdk.hugepages").severity is severity


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, []),
        ({"pmd-cpu-mask": "0x6"}, []),
        ({"pmd-cpu-mask": "0xc", "dpdk-lcore-mask": "1"}, []),
        ({"pmd-cpu-mask": "0x30"}, ["there is no CPU 4, 5"]),
        ({"pmd-cpu-mask": "f"}, ["take every CPU"]),
        ({"pmd-cpu-mask": "1,2"}, ["not a hexadecimal mask"]),
        ({"pmd-cpu-mask": "6", "dpdk-lcore-mask": "3"}, ["CPU 1 is in pmd-cpu-mask"]),
    ],
)
def test_masks_fit_the_cpus(tree: Tree, config: dict[str, str], said: list[str]) -> None:
    tree.database(other_config=config)
    found = [each for each in tree.look("dpdk.masks") if each.severity is not Severity.OK]
    assert len(found) == len(said)
    assert all(words in each.summary for each, words in zip(found, said, strict=True))
