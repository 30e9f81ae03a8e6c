"""What configures ovn-controller, read as it reads it."""

from __future__ import annotations

import pytest

from ovsnet.node.chassis import bridge_of, chassis_name, in_force, lacking, split_list, wrong_mapping

BRIDGES = {"br-int", "br-ex", "br-vlan"}


@pytest.mark.parametrize("mappings", ["", "a:br-ex", "a:br-ex,b:br-vlan", "a:br-ex,", "a:br-ex,b:br-ex"])
def test_mappings_to_bridges_that_exist_are_right(mappings: str) -> None:
    assert wrong_mapping(mappings, BRIDGES) is None


@pytest.mark.parametrize(
    ("mappings", "sentence", "bridge"),
    [
        ("a", "at 'a' it is not NETWORK:BRIDGE", ""),
        ("a:", "at 'a:' it is not NETWORK:BRIDGE", ""),
        (":br-ex", "at ':br-ex' it is not NETWORK:BRIDGE", ""),
        ("a:br-ex,,b:br-vlan", "at '' it is not NETWORK:BRIDGE", ""),  # it drops b without a word
        ("a:br-ex, b:br-vlan", "there is a blank in ' b:br-vlan'", ""),
        ("a :br-ex", "there is a blank in 'a :br-ex'", ""),
        ("a:br-ex,b:br-no,c:br-nope", "it maps b to br-no, and there is no such bridge", "br-no"),
        ("a:br:ex", "it maps a to br:ex, and there is no such bridge", "br:ex"),
    ],
)
def test_first_thing_that_is_wrong_is_told(mappings: str, sentence: str, bridge: str) -> None:
    wrong = wrong_mapping(mappings, BRIDGES)
    assert wrong is not None
    assert sentence in wrong.sentence
    assert wrong.bridge == bridge


def test_key_of_our_chassis_hides_the_plain_one_and_those_of_others_are_nothing_to_it() -> None:
    ids = {"key": "plain", "key-us": "ours", "key-other": "theirs", "key-default": "another", "key-no": " "}
    assert in_force(ids, "key", "us") == ("key-us", "ours")
    assert in_force(ids, "key", "third") == ("key", "plain")
    assert in_force(ids, "key", "") == ("key", "plain")
    assert in_force(ids, "key", "no") is None
    assert in_force({"key-other": "theirs"}, "key", "us") is None


def test_what_is_set_for_another_chassis_is_lacking() -> None:
    ids = {"system-id": "us", "ovn-encap-type": "geneve", "ovn-encap-ip-other": "10.0.0.1"}
    assert lacking(ids, "us") == ["ovn-encap-ip"]
    assert lacking(ids, "other") == []
    assert lacking(ids) == [], "by which name it goes is not known"


def test_list_with_commas_has_its_elements_without_blanks() -> None:
    assert split_list("10.0.0.1, 10.0.0.2,,") == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("words", "override", "name"),
    [
        ([], "", "of-the-database"),
        (["ovn-controller", "unix:db.sock", "-n", "given"], "of-the-file", "given"),
        (["ovn-controller", "--chassis-name=given"], "", "given"),
        (["ovn-controller", "-n"], "", ""),
        (["ovn-controller"], "of-the-file\nmore", "of-the-file"),
    ],
)
def test_name_of_the_chassis_is_the_nearest_to_ovn_controller(words: list[str], override: str, name: str) -> None:
    assert chassis_name({"system-id": "of-the-database"}, words, override) == name
    assert chassis_name({}) == ""


def test_bridge_may_be_named_for_one_chassis() -> None:
    assert bridge_of({}, "node1") == "br-int"
    ids = {"ovn-bridge": "br-a", "ovn-bridge-node1": "br-b"}
    assert [bridge_of(ids, name) for name in ("node1", "node2")] == ["br-b", "br-a"]
