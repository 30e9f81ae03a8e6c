"""The pins are read as pip reads them, and say what the bill of materials says."""

from __future__ import annotations

from release import sbom
from release.pins import needed, normal, pins, requires


def test_every_pin_has_a_version_and_hashes() -> None:
    found = pins()
    assert {"aiohttp", "ovs", "setuptools", "ruff"} <= found.keys()
    assert not [pin for pin in found.values() if not pin.hashes or not pin.version[0].isdigit()]
    assert found["ovs"].text.startswith(f"ovs=={found['ovs'].version} \\\n    --hash=sha256:")


def test_pin_with_a_marker_is_a_version_all_the_same() -> None:
    assert pins("requirements.txt")["typing-extensions"].version.count(";") == 0


def test_names_are_compared_as_pep_503_says() -> None:
    assert normal("Typing_Extensions.x") == "typing-extensions-x"


def test_needs_of_needs_are_needs() -> None:
    assert "yarl" in needed("ovsnet", "3.11")  # by way of aiohttp
    assert "yarl" not in requires("ovsnet", "3.11")
    assert "pytest" not in needed("ovsnet", "3.11")


def test_bill_names_all_pins_with_their_scope() -> None:
    bill = sbom.document("9.9.9", 1_700_000_000)
    components = bill["components"]
    assert isinstance(components, list)
    scopes = {each["name"]: each["scope"] for each in components}
    assert scopes.keys() == pins().keys()
    assert {name for name, scope in scopes.items() if scope == "required"} == pins("requirements.txt").keys()
    assert (scopes["numpy"], scopes["pytest"]) == ("optional", "excluded")
    assert all(len(each["content"]) == 64 for part in components for each in part["hashes"])


def test_bill_says_what_needs_what() -> None:
    bill = sbom.document("9.9.9", 1_700_000_000)
    components, dependencies = bill["components"], bill["dependencies"]
    assert isinstance(components, list)
    assert isinstance(dependencies, list)
    references = {each["bom-ref"] for each in components} | {"pkg:pypi/ovsnet@9.9.9"}
    needs = {each["ref"]: set(each["dependsOn"]) for each in dependencies}
    assert len(needs) == len(dependencies)
    assert needs.keys() <= references
    assert set().union(*needs.values()) <= references
    assert any(ref.startswith("pkg:pypi/yarl@") for ref in needs[f"pkg:pypi/aiohttp@{pins()['aiohttp'].version}"])


def test_bill_is_the_same_each_time_and_another_for_other_pins() -> None:
    assert sbom.document("1", 5) == sbom.document("1", 5)
    assert sbom.document("1", 5)["serialNumber"] != sbom.document("2", 5)["serialNumber"]
