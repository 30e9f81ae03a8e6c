"""Requests, byte for byte as ovs-vswitchd 3.1 accepts them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow import (
    ALL_VERSIONS,
    aggregate_request,
    barrier_request,
    desc_request,
    echo_request,
    features_request,
    get_config_request,
    group_desc_request,
    group_stats_request,
    meter_config_request,
    meter_features_request,
    meter_stats_request,
    port_desc_request,
    port_stats_request,
    queue_stats_request,
    role_request,
    table_request,
)

OXM_ALL = "ff000000ffffffffffffffff00000000" + "00" * 16 + "0001000400000000"
MATCH_11 = "0000005800000000000003ff" + ("00" * 6 + "ff" * 6) * 2 + "00" * 8 + "00000000ffffffff" * 2 + "00" * 12


@pytest.mark.parametrize("version", sorted(ALL_VERSIONS))
@pytest.mark.parametrize(
    ("request_bytes", "kind"),
    [(echo_request, "02"), (features_request, "05"), (get_config_request, "07")],
)
def test_types_that_never_moved(version: int, request_bytes: Callable[[int, int], bytes], kind: str) -> None:
    assert request_bytes(version, 0xABCD).hex() == f"0{version}{kind}00080000abcd"


def test_an_echo_carries_its_payload() -> None:
    assert echo_request(6, 1, b"ping").hex() == "0602000c0000000170696e67"


@pytest.mark.parametrize(
    ("request_bytes", "version", "wire"),
    [
        (barrier_request, 1, "0112000800000000"),
        (barrier_request, 2, "0214000800000000"),
        (barrier_request, 6, "0614000800000000"),
        (role_request, 1, "0104001400000000000023200000000a00000000"),
        (role_request, 2, "0204001400000000000023200000000a00000000"),
        (role_request, 3, "0318001800000000" + "00" * 16),
        (role_request, 6, "0618001800000000" + "00" * 16),
        (desc_request, 1, "0110000c0000000000000000"),
        (desc_request, 4, "04120010000000000000000000000000"),
        (table_request, 1, "0110000c0000000000030000"),
        (table_request, 6, "06120010000000000003000000000000"),
        (port_desc_request, 1, "0110000c00000000000d0000"),
        (port_desc_request, 5, "0512001000000000000d000000000000"),
        (port_desc_request, 6, "0612001800000000000d000000000000ffffffff00000000"),
        (aggregate_request, 1, "011000380000000000020000003fffff" + "00" * 36 + "ff00ffff"),
        (aggregate_request, 2, "02120088000000000002000000000000" + OXM_ALL[:64] + MATCH_11 + "00" * 8 + "ff" * 8),
        (aggregate_request, 3, "03120038000000000002000000000000" + OXM_ALL),
        (aggregate_request, 6, "06120038000000000002000000000000" + OXM_ALL),
        (port_stats_request, 1, "0110001400000000" + "00040000" + "ffff000000000000"),
        (port_stats_request, 4, "0412001800000000" + "0004000000000000" + "ffffffff00000000"),
        (queue_stats_request, 1, "0110001400000000" + "00050000" + "fffc0000ffffffff"),
        (queue_stats_request, 4, "0412001800000000" + "0005000000000000" + "ffffffffffffffff"),
        (group_desc_request, 4, "0412001000000000" + "0007000000000000"),
        (group_desc_request, 6, "0612001800000000" + "0007000000000000" + "fffffffc00000000"),
        (group_stats_request, 4, "0412001800000000" + "0006000000000000" + "fffffffc00000000"),
        (meter_config_request, 4, "0412001800000000" + "000a000000000000" + "ffffffff00000000"),
        (meter_stats_request, 4, "0412001800000000" + "0009000000000000" + "ffffffff00000000"),
        (meter_features_request, 4, "0412001000000000" + "000b000000000000"),
    ],
)
def test_types_and_layouts_that_moved(request_bytes: Callable[[int, int], bytes], version: int, wire: str) -> None:
    data = request_bytes(version, 0)

    assert data.hex() == wire
    assert int.from_bytes(data[2:4]) == len(data)


@pytest.mark.parametrize(
    ("request_bytes", "version"),
    [
        (group_desc_request, 1),
        (group_stats_request, 1),
        (meter_config_request, 3),
        (meter_stats_request, 3),
        (meter_features_request, 3),
    ],
)
def test_request_that_a_version_has_not_is_refused(request_bytes: Callable[[int, int], bytes], version: int) -> None:
    with pytest.raises(UsageError, match="has no such request"):
        request_bytes(version, 0)
