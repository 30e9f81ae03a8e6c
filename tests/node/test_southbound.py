"""Which of several southbound servers is asked."""

from __future__ import annotations

import pytest

from ovsnet.io.address import Address, parse_remotes
from ovsnet.node.southbound import AGAIN, Remotes, Server

ONE, TWO, THREE = (Address.of(f"tcp:192.0.2.1:{port}") for port in (1, 2, 3))


def of(*addresses: Address) -> Remotes:
    remotes = Remotes()
    remotes.addresses = addresses
    return remotes


@pytest.mark.parametrize(
    ("server", "in_touch"),
    [
        (Server("standalone", True, True, ""), True),
        (Server("clustered", True, False, "c"), True),
        (Server("clustered", False, False, "c"), False),
        (Server("relay", True, False, ""), True),
        (Server("relay", False, False, ""), False),
    ],
)
def test_server_has_new_data_that_has_its_cluster_or_its_source(server: Server, in_touch: bool) -> None:
    assert server.in_touch is in_touch


def test_one_that_was_left_comes_last_and_the_others_keep_their_order() -> None:
    remotes = of(ONE, TWO, THREE)
    assert remotes.in_order() == [ONE, TWO, THREE]
    assert remotes.leave(ONE, 0.0)
    assert remotes.in_order() == [TWO, THREE, ONE]


def test_none_is_left_where_there_is_no_other_nor_again_at_once() -> None:
    assert not of(ONE).leave(ONE, 0.0)
    assert not of(ONE, ONE).leave(ONE, 0.0)
    remotes = of(ONE, TWO)
    assert [remotes.leave(ONE, now) for now in (5.0, 5.0 + AGAIN - 0.1, 5.0 + AGAIN)] == [True, False, True]


def test_each_of_several_has_little_time_which_grows_while_all_are_silent() -> None:
    assert of(ONE).patience(6.0, 60.0) == 60.0
    remotes = of(ONE, TWO)
    allowed = []
    for _ in range(7):
        allowed.append(remotes.patience(6.0, 60.0))
        remotes.asked(spoke=False, silent=True)
    assert allowed == [3.0, 6.0, 12.0, 24.0, 48.0, 60.0, 60.0]
    remotes.asked(spoke=True)
    assert remotes.patience(6.0, 60.0) == 3.0


def test_remotes_are_those_of_the_setting() -> None:
    assert of(*parse_remotes("tcp:192.0.2.1:1,tcp:192.0.2.1:2")).in_order() == [ONE, TWO]


def test_search_is_on_until_one_speaks_or_all_were_asked() -> None:
    remotes = of(ONE, TWO)
    assert not remotes.searching
    assert remotes.begin() == [ONE, TWO]
    assert remotes.searching
    remotes.asked(spoke=True)
    assert not remotes.searching
    assert remotes.leave(ONE, 0.0)
    assert remotes.searching
    remotes.begin()
    remotes.asked(spoke=False, silent=True)
    assert not remotes.searching
    remotes.begin()  # all were silent before: what has been silence since then is that of all
    assert not remotes.searching


def test_single_server_is_not_searched_for() -> None:
    remotes = of(ONE)
    remotes.begin()
    assert not remotes.searching
